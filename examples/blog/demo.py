#!/usr/bin/env python
"""The demo: serves the old site, migrates it, and looks whether all went as planted. Exits 0 exactly then.

Every step is an ordinary command, printed before it runs, so that it can be typed by hand too.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
DATA = HERE / "build"
SITE = "http://127.0.0.1:8765"
FAILURES_LEFT = 1
"""What `isekai run` exits with when some resources failed: here, those that were planted to."""


class DemoError(Exception):
    """A step did not go as it should; the message says which."""


def main() -> int:
    os.chdir(HERE)
    try:
        _show()
    except DemoError as failure:
        print(f"\nthe demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def _show() -> None:
    say("The old site: 68 pages, 41 images, 9 documents; one link is dead and one image is broken, on purpose.")
    shutil.rmtree(DATA, ignore_errors=True)
    step("python -m legacy.site")
    with old_site():
        say("The new site: an ordinary Django project on SQLite.")
        step("python manage.py migrate --verbosity 0")
        step("isekai plugins list")
        step("isekai pipelines check blog")
        say("The migration. It ends with status 1: two resources were planted to fail.")
        step("isekai run blog", FAILURES_LEFT)
        step("isekai errors blog")
        say("Once more: only the sitemaps are read again, no page, image or document is fetched.")
        before = requests()
        step("isekai run blog", FAILURES_LEFT)
        refuse_fetches(before, requests())
    say("Did every page, image and document arrive? Row by row, file by file, link by link:")
    step("python verify.py")
    invite()


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def step(command: str, expected: int = 0) -> None:
    """Print the command and run it; `DemoError` when it ends with another status than expected."""
    print(f"\n$ {command}", flush=True)
    status = subprocess.run(_arguments(command), check=False).returncode
    if status != expected:
        msg = f"{command!r} ended with status {status}, expected {expected}"
        raise DemoError(msg)


def _arguments(command: str) -> list[str]:
    """The command with the programs of the environment that the demo runs in, whether it is activated or not."""
    program, *rest = command.split()
    if program == "python":
        return [sys.executable, *rest]
    return [str(Path(sysconfig.get_path("scripts")) / program), *rest]


@contextmanager
def old_site() -> Iterator[None]:
    """The old site's server, in a process of its own while the block lasts."""
    print("\n$ python serve.py &", flush=True)
    if _answers():
        msg = f"something answers at {SITE} already; stop it first, the demo needs this port"
        raise DemoError(msg)
    server = subprocess.Popen([sys.executable, "serve.py"])
    try:
        _wait_until_it_answers(server)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not _answers():
        if server.poll() is not None or time.monotonic() > until:
            msg = "the old site's server did not start"
            raise DemoError(msg)
        time.sleep(0.05)


def _answers() -> bool:
    try:
        requests()
    except (URLError, OSError, ValueError):
        return False
    return True


def requests() -> dict[str, int]:
    """How often each path of the old site was asked for so far."""
    with urlopen(f"{SITE}/-/requests", timeout=5) as answer:
        return dict(json.load(answer))


def refuse_fetches(before: dict[str, int], after: dict[str, int]) -> None:
    """`DemoError` when more was asked for than sitemaps."""
    more = sorted(path for path, count in after.items() if count > before.get(path, 0))
    if fetched := [path for path in more if not path.startswith(("/sitemap", "/robots.txt"))]:
        msg = f"the second run fetched again: {', '.join(fetched)}"
        raise DemoError(msg)
    print(f"\nThe old site was asked for {', '.join(more)} only.", flush=True)


def invite() -> None:
    """Make a user for the admin, and say how to look."""
    password = secrets.token_urlsafe(9)
    user = {
        "DJANGO_SUPERUSER_USERNAME": "demo",
        "DJANGO_SUPERUSER_PASSWORD": password,
        "DJANGO_SUPERUSER_EMAIL": "demo@example.org",
    }
    subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--noinput", "--verbosity", "0"],
        check=True,
        env=os.environ | user,
    )
    say("All as planted. To look at it:")
    print(f"""
  cd {os.path.relpath(HERE, os.environ.get("PWD", HERE))}
  {python_by_hand()} manage.py runserver

  http://127.0.0.1:8000/         the new site
  http://127.0.0.1:8000/admin/   its admin, user demo, password {password}: see Blog, and ISEKAI, Resources

`{python_by_hand()} manage.py createsuperuser` makes a user of your own; the files are in build/,
which the next demo removes.""")


def python_by_hand() -> str:
    """What somebody types in this folder for the demo's Python: its name alone where its environment is active."""
    called = shutil.which("python")
    is_active = called is not None and Path(called).parent == Path(sys.executable).parent
    return "python" if is_active else os.path.relpath(sys.executable, HERE)


if __name__ == "__main__":
    sys.exit(main())
