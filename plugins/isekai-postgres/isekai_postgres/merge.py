"""Merge: staged rows become rows of the target, in one transaction, with its constraints and triggers on.

`load` and `unload` are what the slice target calls. The order is: lock, drift, staging, maps, references, insert,
constraints, ledger, sequences, commit; until the insert nothing of the target has been changed. The references of rows
that go into an empty table are looked at by the insert itself, which is what refuses them then.
"""

from contextlib import AbstractContextManager
from typing import Any

from psycopg import sql

from isekai_core.errors import MergeError, StagingError
from isekai_core.slicing.order import groups_of
from isekai_core.types.slices import BundleReader, LoadChoice, SliceProgress, TableReport
from isekai_postgres.loading import counters, ledger
from isekai_postgres.loading.drift import Part, parts_of
from isekai_postgres.loading.fresh import find_fresh
from isekai_postgres.loading.idmap import make_maps
from isekai_postgres.loading.joining import joining
from isekai_postgres.loading.rebuild import rebuilding
from isekai_postgres.loading.references import refuse_dangling
from isekai_postgres.loading.session import Session, writing
from isekai_postgres.loading.statements import statements
from isekai_postgres.loading.target import forward
from isekai_postgres.loading.work import BY_NATURAL_KEY, Work
from isekai_postgres.staging import stage
from isekai_postgres.unload import remove

_SHOWN = 5
_UNIQUE = "with ids='natural', the rows of the bundle become those that have the same unique values"


def load(
    parameters: dict[str, Any],
    bundle: BundleReader,
    choice: LoadChoice,
    progress: SliceProgress,
    within: str | None = None,
) -> list[TableReport]:
    """Load a bundle, all of it or nothing.

    parameters: of the connection, as `parameters_of_dsn` makes them.
    within: the alias of Django's whose transaction the load joins, instead of one of its own.
    choice: its `name` is the bundle's digest when there is none, so that the same bundle gets the same keys again.

    Raises `StagingError` before anything is changed: the target cannot be reached or written to, another load is
    running there, the bundle does not fit; `MergeError` when the target refuses the rows.
    """
    with _session(parameters, within) as session:
        with session.told(StagingError, "staging"):
            parts = parts_of(session, list(bundle.tables))
            work = Work(session, parts, choice, choice.name or bundle.digest)
            ledger.forget_void(session, work.name, counters.sequences_of(work))
            work.fresh = find_fresh(work)
            stage(work, bundle, progress)
            make_maps(work)
            # Of fresh ones it shows when they are inserted, by the number of rows.
            refuse_dangling(work, [part for part in parts if part.label not in work.fresh])
        with session.told(MergeError, "merging"):
            reports = _merge(work, progress)
        _commit(session)
    return reports


def unload(parameters: dict[str, Any], name: str, within: str | None = None) -> list[TableReport]:
    """Remove the rows that loads under `name` created, and forget the map; `MergeError` says why it cannot be."""
    with _session(parameters, within) as session:
        with session.told(MergeError, f"unloading {name!r}"):
            reports = remove(session, name)
        _commit(session)
    return reports


def _session(parameters: dict[str, Any], within: str | None) -> AbstractContextManager[Session]:
    return joining(within, parameters.get("statement_timeout")) if within else writing(parameters)


def _commit(session: Session) -> None:
    with session.told(MergeError, "the commit, and whether it was done is not known: run it again, which is safe"):
        session.commit()


def _merge(work: Work, progress: SliceProgress) -> list[TableReport]:
    if work.choice.on_conflict == "error":
        _refuse_existing(work)
    reports: dict[str, TableReport] = {}
    with rebuilding(work):
        for group in _groups(work):
            what = ", ".join(part.label for part in group)
            with work.session.told(MergeError, f"merging {what}", _UNIQUE if work.choice.ids == "keep" else ""):
                for report in _insert(work, group):
                    reports[report.model] = report
                    progress.advance(report.model, report.rows, 0)
        # Deferred constraints are checked now, while it can be said what they are about.
        with work.session.told(MergeError, "checking constraints"):
            work.session.run(sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"))
    with work.session.told(MergeError, "keeping the id map"):
        ledger.keep(work)
    for part in work.parts:
        for name in part.target.columns:
            forward(work.session, part.target, name) if part.has(name) else None
        progress.end(part.label)
    with work.session.told(MergeError, "keeping the id map"):
        counters.note(work.session, work.name, counters.sequences_of(work))
    return [reports[part.label] for part in work.parts]


def _groups(work: Work) -> list[list[Part]]:
    """Parents first; what needs one another, together."""
    needs = {
        part.label: [column.reference.model for column in part.table.columns if column.reference] for part in work.parts
    }
    return [[work.by_model[label] for label in group] for group in groups_of(needs)]


def _refuse_existing(work: Work) -> None:
    for part in work.parts:
        if part.label in BY_NATURAL_KEY:
            continue
        statement = sql.SQL("SELECT old::text, new::text FROM {} WHERE existed ORDER BY old LIMIT {}")
        if rows := work.session.rows(statement.format(part.map, _SHOWN)):
            told = ", ".join(old if old == new else f"{old} (there {new})" for old, new in rows)
            msg = f"on_conflict='error': {part.label} has rows of the bundle already: {told}"
            raise MergeError(msg)


def _insert(work: Work, group: list[Part]) -> list[TableReport]:
    """Insert the rows of a group; how many of each were there before, and changed."""
    numbers = [_numbers(work, part) for part in group]
    if len(group) == 1:
        made = statements(work, group[0], has_existing=numbers[0][0] > numbers[0][1])
        written = [sum(work.session.run(statement).rowcount for statement in made)]
    else:
        written = _insert_together(work, group)
    if any(part.label in work.fresh and part.table.rows != n for part, n in zip(group, written, strict=True)):
        # Rows were left out: because of a reference, or by a trigger, which may do so.
        refuse_dangling(work, work.parts)
    # A trigger may leave rows out: no more were created than were written.
    return [
        TableReport(part.label, rows, min(created, changed), max(changed - created, 0), rows - changed)
        for part, (rows, created), changed in zip(group, numbers, written, strict=True)
    ]


def _numbers(work: Work, part: Part) -> tuple[int, int]:
    """How many rows there are, and how many of them are new."""
    if part.label in work.fresh:
        return part.table.rows, part.table.rows
    statement = sql.SQL("SELECT count(*), count(*) FILTER (WHERE NOT existed) FROM {}")
    rows, new = work.session.rows(statement.format(part.map))[0]
    return rows, new


def _insert_together(work: Work, group: list[Part]) -> list[int]:
    """One statement for tables that need one another: constraints that cannot be deferred are checked at its end."""
    made = [statements(work, part, has_existing=part.label not in work.fresh) for part in group]
    named = [
        [(sql.Identifier(f"w{part.number}_{number}"), statement) for number, statement in enumerate(some)]
        for part, some in zip(group, made, strict=True)
    ]
    parts = sql.SQL(", ").join(
        sql.SQL("{} AS ({} RETURNING 1)").format(name, statement) for some in named for name, statement in some
    )
    counts = sql.SQL(", ").join(
        sql.SQL(" + ").join(sql.SQL("(SELECT count(*) FROM {})").format(name) for name, _ in some) for some in named
    )
    return list(work.session.rows(sql.SQL("WITH {} SELECT {}").format(parts, counts))[0])
