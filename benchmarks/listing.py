"""How long `isekai plugins list` takes with 150 distributions installed, over a bare interpreter start.

    python benchmarks/listing.py            # the figures
    python benchmarks/listing.py --write    # and the table of listing.md anew

Makes an environment of its own in `build/listing` at first use: core and the plugins of this repository with all they
need, ten small plugins more, and distributions that are no plugins until there are 150.
"""

import argparse
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
HOME = HERE / "build" / "listing"
REPORT = HERE / "listing.md"
PYTHON = HOME / "bin" / "python"
DISTRIBUTIONS, PLUGINS = 150, 10

MODULE = """
from isekai_core import hookimpl


@hookimpl
def isekai_register_miners(register):
    register("words-{number}", "small_{number}_words:Miner")
"""
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.{number}\nRequires-Dist: isekai-core>=0.1\n\n{long}"


def make_environment() -> None:
    """The environment, with today's wheels of core and plugins in it."""
    if not PYTHON.exists():
        venv.create(HOME, with_pip=True)
    folders = [ROOT, *sorted((ROOT / "plugins").glob("isekai-*"))]
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *map(str, folders)], check=True)
    site = next(HOME.glob("lib/python*/site-packages"))
    for number in range(PLUGINS):
        _distribution(site, f"small-{number}", number, f"[isekai]\nsmall-{number} = small_{number}\n")
        (site / f"small_{number}.py").write_text(MODULE.format(number=number))
    for number in range(DISTRIBUTIONS - len(list(site.glob("*.dist-info")))):
        _distribution(site, f"other-{number}", number, f"[console_scripts]\nother-{number} = other:main\n")


def _distribution(site: Path, name: str, number: int, entry_points: str) -> None:
    folder = site / f"{name.replace('-', '_')}-1.{number}.dist-info"
    folder.mkdir(exist_ok=True)
    # As long as those of real ones, which hold their README.
    (folder / "METADATA").write_text(METADATA.format(name=name, number=number, long="A line of text.\n" * 500))
    (folder / "entry_points.txt").write_text(entry_points)


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HOME)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description="isekai plugins list beside a bare start")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the results into listing.md")
    args = parser.parse_args()
    make_environment()
    commands = {
        "a bare start, `python -c pass`": [str(PYTHON), "-c", "pass"],
        "`isekai plugins list`": [str(HOME / "bin" / "isekai"), "plugins", "list"],
        "`isekai plugins list --json`": [str(HOME / "bin" / "isekai"), "plugins", "list", "--json"],
        "`isekai plugins list --no-plugins`": [str(HOME / "bin" / "isekai"), "plugins", "list", "--no-plugins"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(args.rounds + 1):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    medians = {name: statistics.median(times[1:]) * 1000 for name, times in taken.items()}
    bare = next(iter(medians.values()))
    number = len(list(HOME.glob("lib/python*/site-packages/*.dist-info")))
    lines = [f"| with {number} distributions | ms | over a bare start |", "|---|---|---|"]
    lines += [f"| {name} | {value:.0f} | {value - bare:+.0f} |" for name, value in medians.items()]
    print("\n".join(lines))
    if args.write:
        write("\n".join(lines), args.rounds)
    return 0


def write(said: str, rounds: int) -> None:
    before, mark, rest = REPORT.read_text().partition("<!-- results -->\n")
    _, end, after = rest.partition("<!-- /results -->")
    now = dt.datetime.now(dt.UTC)
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {now:%B %Y}"
    REPORT.write_text(f"{before}{mark}\nMedians of {rounds} rounds, by turns; {where}.\n\n{said}\n\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
