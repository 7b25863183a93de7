"""Real input that nobody here wrote: the HTML of Debian's python3-doc is served, migrated, and accounted for.

    apt-get install python3-doc
    python benchmarks/pydoc/run.py [--path /usr/share/doc/python3/html]

Every page and image on disk is looked for: a row with the right content, or a failure with its reason, or
(images) shown by no page. Exits 1 when one is unaccounted for.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import doctree  # noqa: E402 - beside this file
import website  # noqa: E402 - in the folder above

PORT = 8790


def main() -> int:
    parser = argparse.ArgumentParser(description="migrate Debian's python3-doc and account for every page and image")
    parser.add_argument("--path", type=Path, help="the folder with index.html; without it, where Debian puts it")
    parser.add_argument("--port", type=int, default=PORT)
    args = parser.parse_args()
    root = doctree.find(args.path)
    if root is None:
        places = args.path or ", ".join(doctree.PLACES)
        print(f"no documentation in {places}: apt-get install python3-doc, or give --path", file=sys.stderr)
        return 2
    data = website.WORK / f"pydoc-{args.port}"
    shutil.rmtree(data, ignore_errors=True)
    found, base = doctree.Tree.of(root), website.base_url(args.port)
    doctree.copy_with_sitemap(found, data / "site", base)
    os.environ |= {"PYDOC_DATA": str(data), "PYDOC_SITE": base, "DJANGO_SETTINGS_MODULE": "settings"}
    with website.serving(data / "site", args.port):
        seconds = migrate()
    return account(found, base, seconds)


def migrate() -> float:
    """Run the pipeline as a user would; how long it took."""
    isekai = Path(sysconfig.get_path("scripts")) / "isekai"
    subprocess.run([sys.executable, "manage.py", "migrate", "--run-syncdb", "--verbosity", "0"], cwd=HERE, check=True)
    begun = time.perf_counter()
    # Status 1 says that something failed: what, and whether it may, is looked at below.
    status = subprocess.run([isekai, "run", "pydoc"], cwd=HERE, check=False).returncode
    if status > 1:
        sys.exit(status)
    return time.perf_counter() - begun


def account(found: doctree.Tree, base: str, seconds: float) -> int:
    sys.path.insert(0, str(HERE))
    import django  # noqa: PLC0415 - after the environment is set

    django.setup()
    from accounts import Accounts  # noqa: PLC0415 - needs Django

    accounts = Accounts(found, base)
    accounts.take()
    print(f"\n{len(found.pages)} pages and {len(found.images)} images on disk, migrated in {seconds:.1f} s\n")
    print("\n".join(accounts.lines()))
    for problem in accounts.problems:
        print(f"unaccounted for: {problem}")
    if not accounts.problems:
        print("\nevery page and image is accounted for")
    return 1 if accounts.problems else 0


if __name__ == "__main__":
    sys.exit(main())
