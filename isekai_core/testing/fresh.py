"""What importing a module does in a process that has done nothing else: whom it calls, what it starts, what it needs.

Only a fresh process can tell: in this one, the module and all that it needs are imported already.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import FrameType
from typing import Any

_NETWORK = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")
_PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
)
_CHILD = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from isekai_core.testing.fresh import tell; tell()"
_SECONDS = 60
_SETTINGS = "DJANGO_SETTINGS_MODULE"
_OWN = "isekai_core"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What the import of a module did.

    calls: connections that it opened and processes that it started, one line each, with where.
    error: why it cannot be imported; "" when it can.
    needs_project: whether that is because there is no Django project.
    """

    calls: tuple[str, ...] = ()
    error: str = ""
    needs_project: bool = False


def import_report(module: str, *, in_project: bool = False) -> ImportReport:
    """What the import of `module` does in a process of its own; with a Django project set up before, or without any.

    A module that no process can import anew (typed at a prompt) has nothing to report.
    """
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    if module == "__main__" or (module in sys.modules and not file):
        return ImportReport()
    return _report(module, file, in_project)


@cache
def _report(module: str, file: str, in_project: bool) -> ImportReport:
    environment = {name: value for name, value in os.environ.items() if in_project or name != _SETTINGS}
    asked = json.dumps({"module": module, "file": file, "in_project": in_project})
    done = subprocess.run(  # noqa: S603 - this Python, with what is imported here already
        [sys.executable, "-I", "-c", _CHILD, json.dumps(sys.path), asked],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    try:
        # The last line: the import may have printed something.
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return ImportReport(error=f"the process that imports it ended with {done.returncode}: {done.stderr.strip()}")
    return ImportReport(tuple(told["calls"]), told["error"], told["needs_project"])


# In the process of its own


def tell() -> None:
    """Import what is asked for, and print what that did."""
    from isekai_core.plugins.diagnose import needs_project  # noqa: PLC0415 - the parent needs it not

    asked = json.loads(sys.argv[2])
    if asked["in_project"] and os.environ.get(_SETTINGS):
        import django  # noqa: PLC0415 - only where the processor says that it needs it

        django.setup()
    calls: list[str] = []
    top = asked["module"].partition(".")[0]
    sys.addaudithook(lambda event, arguments: _note(calls, top, event, arguments))
    error, project = "", False
    try:
        _import(asked["module"], asked["file"])
    except BaseException as raised:  # also SystemExit: all of it is to be told
        error, project = f"{type(raised).__name__}: {raised}", needs_project(raised)
    noted = list(dict.fromkeys(calls))
    print(f"\n{json.dumps({'calls': noted, 'error': error, 'needs_project': project})}")


def _import(module: str, file: str) -> None:
    if _is_found(module):
        import_module(module)
    elif (spec := spec_from_file_location(module, file)) and spec.loader:
        # A test module, which pytest imports from its file and under a name of its own.
        sys.modules[module] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])


def _is_found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False  # The package above it is not there.


def _note(calls: list[str], top: str, event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        asks = event.startswith("socket.get")
        calls.append(
            f"{f'asks for the address of {arguments[0]!r}' if asks else f'connects to {arguments[-1]!r}'}{_place(top)}"
        )
    elif event in _PROCESSES:
        program = arguments[1] if event == "subprocess.Popen" and len(arguments) > 1 else arguments[:1]
        calls.append(f"starts a process, {event} of {program!r}"[:300] + _place(top))


def _place(top: str) -> str:
    """Where that was: the place nearest to the call that is not Python's own, and how the module led there."""
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001 - documented, and the only way to say where
    nearest = ""
    while frame is not None:
        name = frame.f_globals.get("__name__", "").partition(".")[0]
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        if name == top and name != _OWN:
            return f" (in {place})" if nearest in ("", place) else f" (in {nearest}, by way of {place})"
        if name not in sys.stdlib_module_names and name not in (_OWN, "__main__"):
            nearest = nearest or place
        frame = frame.f_back
    return f" (in {nearest})" if nearest else ""
