"""Staging: the bundle's CSV goes into temporary tables that have the target's types and none of its constraints."""

import csv
import io
from collections.abc import Mapping
from typing import BinaryIO

from psycopg import sql

from isekai_core.errors import StagingError
from isekai_core.types.slices import BundleReader, SliceProgress
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.fresh import give_keys
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.work import Work

CHUNK = 128 * 1024
"""What the driver sends at once; larger pieces are slower."""

_HEADER_MATCH = 150000


def stage(work: Work, bundle: BundleReader, progress: SliceProgress) -> None:
    """Fill a staging table for each part; `StagingError` when the CSV is not what the manifest says."""
    session = work.session
    for part in work.parts:
        progress.begin(part.label, part.table.rows)
        with session.told(StagingError, f"staging {part.label}"):
            _create(session, part)
            if part.label in work.fresh:
                give_keys(work, part)
            with bundle.open(part.label) as file:
                _copy(session, part, file, progress)
            session.run(sql.SQL("ANALYZE {}").format(part.stage))


def _create(session: Session, part: Part) -> None:
    # By a query, and not LIKE: the types are wanted, but no NOT NULL, identity, default or generated column.
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in part.table.columns)
    statement = sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA")
    session.run(statement.format(part.stage, columns, part.target.identifier))


def _copy(session: Session, part: Part, file: BinaryIO, progress: SliceProgress) -> None:
    chunk = file.read(CHUNK)
    names = _header(part, chunk)
    match = "MATCH" if session.connection.info.server_version >= _HEADER_MATCH else "true"
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER {}, ENCODING 'UTF8')").format(
        part.stage, sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(match)
    )
    cursor = session.connection.cursor()
    with cursor.copy(statement) as copy:
        while chunk:
            copy.write(chunk)
            progress.advance(part.label, 0, len(chunk))
            chunk = file.read(CHUNK)
    # A server before version 18 takes a lone `\.` for the end of the data, and says nothing of what comes after it.
    if cursor.rowcount != part.table.rows:
        msg = f"staging {part.label}: the manifest says {part.table.rows} rows, the server read {cursor.rowcount}"
        raise StagingError(msg)


def _header(part: Part, chunk: bytes) -> list[str]:
    """The columns of the CSV, in its own order; `StagingError` names those that are missing or too many."""
    text = chunk.decode("utf-8", "replace")
    names = next(csv.reader(io.StringIO(text, newline="")), [])
    expected = [column.name for column in part.table.columns]
    if sorted(names) == sorted(expected):
        return names
    found: Mapping[str, list[str]] = {
        "it lacks": [name for name in expected if name not in names],
        "it has besides": [name for name in names if name not in expected],
        "it has twice": sorted({name for name in names if names.count(name) > 1}),
    }
    told = ", ".join(f"{what} {', '.join(map(repr, some))}" for what, some in found.items() if some)
    msg = f"staging {part.label}: the file does not have the columns of the manifest: {told}"
    raise StagingError(msg)
