"""The main job, side by side: a site of pages and images becomes Django models, by ISEKAI, by isekai-django, by hand.

    python benchmarks/pipeline.py                  # 2,000 pages and 1,000 images; ours also 4 times as many
    python benchmarks/pipeline.py --sizes 200      # a quick look
    python benchmarks/pipeline.py --skip-peer --rounds 3
    python benchmarks/pipeline.py --rounds 3 --write    # the table of pipeline.md anew

All fetch the same site from the same server, fill the same models, and run by turns, each in a process of its
own with an empty database. isekai-django is installed into an environment of its own, `work/peer`. By hand is a
plain script without a journal, the limit.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import servers
import website

HERE = Path(__file__).resolve().parent
REPORT = HERE / "pipeline.md"
STAGES = ("seed", "extract", "mine", "transform", "load")


@dataclass(frozen=True)
class Side:
    """Who does the job: a module to run, the Python to run it with, and in how many processes."""

    name: str
    module: str
    python: Path
    processes: int = 1


@dataclass
class Case:
    """One line of the table: a side, a database and a size, with what its rounds measured."""

    side: Side
    database: str
    pages: int
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def median(self, *path: str) -> float:
        values = []
        for one in self.rounds:
            value: Any = one
            for name in path:
                value = value.get(name, 0)
            values.append(float(value))
        return statistics.median(values)


def peer_python() -> Path:
    """The Python of the peer's environment, made at first use."""
    home = website.WORK / "peer"
    python = home / "bin" / "python"
    wanted = (HERE / "peer" / "requirements.txt").read_text()
    mark = home / "installed.txt"
    if not mark.exists() or mark.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "-r", HERE / "peer" / "requirements.txt"], check=True
        )
        mark.write_text(wanted)
    return python


def run(case: Case, site: str, server: str | None, folder: Path) -> dict[str, Any]:
    """One round: an empty database and `folder`, one process, its line of JSON."""
    with _database(folder, server) as url:
        env = os.environ | {
            "PYTHONPATH": str(HERE),
            "BENCH_DATABASE": url,
            "BENCH_FOLDER": str(folder),
            "BENCH_SITE": site,
            "BENCH_PROCESSES": str(case.side.processes),
        }
        command = [str(case.side.python), "-m", case.side.module]
        done = subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout.strip():
        msg = f"{case.side.name} on {case.database} measured nothing, status {done.returncode}"
        raise RuntimeError(msg)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    _insist(case, result)
    return result


def _insist(case: Case, result: dict[str, Any]) -> None:
    """A side that did not do the whole job is not compared."""
    expected = {"articles": case.pages, "photos": case.pages // 2, "different_files": case.pages // 2}
    expected |= {"heroes": case.pages // 2, "links": result["rewritten"]}
    if wrong := {name: result[name] for name, value in expected.items() if result[name] != value}:
        msg = f"{case.side.name} on {case.database}: expected {expected}, got {wrong}; it said: {result.get('said')}"
        raise RuntimeError(msg)


@contextmanager
def _database(folder: Path, server: str | None) -> Iterator[str]:
    if server is None:
        with servers.fresh_sqlite(folder) as url:
            yield url
    else:
        with servers.fresh_postgres(server, "isekai_benchmark") as url:
            yield url


def cases(args: argparse.Namespace) -> list[Case]:
    """Ours at every size and 4 times the base; the others at the base size, as the peer's load grows quadratically."""
    base = args.sizes[0]
    names = {1: "isekai", 2: "isekai by 2 processes"}
    ours = [Side(name, "ours.run", Path(sys.executable), processes) for processes, name in names.items()]
    script = Side("a plain script", "script.run", Path(sys.executable))
    sizes = args.sizes if len(args.sizes) > 1 else [base, 4 * base]
    made = []
    for database in args.databases:
        made += [Case(side, database, base) for side in (*ours, script)]
        if not args.skip_peer:
            made.append(Case(Side("isekai-django 0.1.0a7", "peer.run", peer_python()), database, base))
        made.extend(Case(side, database, size) for size in sizes[1:] for side in ours)
    return [case for case in made if not (args.skip_ours and case.side in ours)]


def measure(found: list[Case], rounds: int, first_port: int) -> None:
    """Every case once, then every case again: whatever else the machine does hits all alike."""
    with ExitStack() as stack:
        # All folders go at the end: a file system that has just lost thousands of files takes a tenth longer to make
        # room for new ones, and whoever comes next would pay for it.
        folders = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = (
            stack.enter_context(servers.postgres()) if any(case.database == "postgresql" for case in found) else None
        )
        sites = {}
        for port, pages in enumerate(sorted({case.pages for case in found}), first_port):
            folder = website.WORK / f"site-{pages}-{pages // 2}-{port}"
            website.write(folder, pages, pages // 2, port)
            sites[pages] = stack.enter_context(website.serving(folder, port))
        for number in range(1, rounds + 1):
            for case in found:
                print(
                    f"round {number} of {rounds}: {case.side.name}, {case.database}, {case.pages} pages",
                    file=sys.stderr,
                )
                folder = Path(tempfile.mkdtemp(dir=folders))
                on = server if case.database == "postgresql" else None
                case.rounds.append(run(case, sites[case.pages], on, folder))


def table(found: list[Case]) -> str:
    """Medians, as Markdown."""
    lines = [
        f"| side | database | pages + images | {' | '.join(STAGES)} | total s | CPU s | SQL statements | peak MB |",
        f"|---|---|---|{'---|' * (len(STAGES) + 4)}",
    ]
    for case in found:
        stages = " | ".join(f"{case.median('seconds', stage):.2f}" for stage in STAGES)
        size = f"{case.pages:,} + {case.pages // 2:,}"
        seconds = f"{case.median('total'):.2f} | {case.median('cpu'):.2f}"
        statements = f"{case.median('statements'):,.0f}" if case.side.processes == 1 else "not counted"
        numbers = f"{seconds} | {statements} | {case.median('peak_mb'):.0f}"
        lines.append(f"| {case.side.name} | {case.database} | {size} | {stages} | {numbers} |")
    return "\n".join(lines)


def ratios(found: list[Case]) -> list[str]:
    """How the sides compare at the base size, and how ours grows."""
    said = []
    for database in dict.fromkeys(case.database for case in found):
        here = [case for case in found if case.database == database]
        ours = [case for case in here if case.side.module == "ours.run"]
        peers = [case for case in here if case.side.module == "peer.run"]
        scripts = [case for case in here if case.side.module == "script.run"]
        small = [case for case in ours if case.pages == min(one.pages for one in ours)]
        said += [f"{database}: {_beside(peer, one)}" for peer in peers for one in small]
        said += [f"{database}: {_to_the_limit(script, *peers, *small)}" for script in scripts if small or peers]
        pairs = [(one, more) for one in small for more in ours if more.side is one.side and more is not one]
        said += [f"{database}: {_growth(one, more)}" for one, more in pairs]
    return said


def _beside(peer: Case, ours: Case) -> str:
    names = ("total", "cpu", "statements", "peak_mb")
    times, cpu, statements, memory = (peer.median(name) / ours.median(name) for name in names)
    said = [f"{ours.side.name}: {times:.1f} times faster ({cpu:.1f} times by CPU seconds)"]
    # The meter is in the first process and sees no other's.
    said += [f"{statements:.0f} times fewer statements"] if ours.side.processes == 1 else []
    return ", ".join([*said, f"{memory:.1f} times less memory"])


def _to_the_limit(script: Case, *others: Case) -> str:
    times = [f"{case.side.name} takes {case.median('total') / script.median('total'):.1f} times" for case in others]
    return f"{', '.join(times)} as long as a plain script"


def _growth(small: Case, large: Case) -> str:
    times, memory = (large.median(name) / small.median(name) for name in ("total", "peak_mb"))
    more = large.pages / small.pages
    grown = f"{more:g} times as many pages take {times:.1f} times the time, {memory:.2f} times the memory"
    return f"{small.side.name}: {grown}"


def main() -> int:
    parser = argparse.ArgumentParser(description="the main job beside isekai-django")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[2000], metavar="PAGES", help="the first is the peer's too"
    )
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--port", type=int, default=website.PORT, help="the first of one for every size")
    parser.add_argument("--skip-peer", action="store_true")
    parser.add_argument("--skip-ours", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the results into pipeline.md")
    parser.add_argument("--json", action="store_true", help="every round as a line of JSON, nothing else")
    args = parser.parse_args()
    found = cases(args)
    measure(found, args.rounds, args.port)
    if args.json:
        for case in found:
            for one in case.rounds:
                print(json.dumps({"database": case.database, "pages": case.pages, **one}))
        return 0
    said = "\n".join([table(found), "", *(f"- {line}" for line in ratios(found))])
    print(said)
    if args.write:
        write(said, args.rounds)
    return 0


def write(said: str, rounds: int) -> None:
    """Put the results between the marks of pipeline.md."""
    before, mark, rest = REPORT.read_text().partition("<!-- results -->\n")
    _, end, after = rest.partition("<!-- /results -->")
    now = dt.datetime.now(dt.UTC)
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {now:%B %Y}"
    REPORT.write_text(f"{before}{mark}\nMedians of {rounds} round(s); {where}.\n\n{said}\n\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
