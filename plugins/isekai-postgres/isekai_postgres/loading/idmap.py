"""Id maps: which key each row of the bundle gets in the target, all of them known before the first insert.

First `found` tables collect the keys that are given: fixed ones, those of an earlier load, those of rows that have
the same unique values. A map then holds every staged key: what was found for it, or a new one.
"""

import psycopg
from psycopg import sql

from isekai_core.errors import StagingError
from isekai_postgres.loading import found, ledger
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.fresh import make_view
from isekai_postgres.loading.target import forward
from isekai_postgres.loading.work import Work

_SHOWN = 5


def make_maps(work: Work) -> None:
    """Make the map of every part; `StagingError` when keys are given that cannot be, or twice."""
    own = [part for part in work.parts if part.key_reference is None]
    for part in own:
        statement = sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {k} AS old, {k} AS new FROM {} WITH NO DATA")
        work.session.run(statement.format(part.found, part.stage, k=part.key))
    _find(work, own)
    for part in own:
        if part.label not in work.fresh:
            _make_map(work, part)
        elif not make_view(work, part):
            _require_keys(work, part, part.stage, part.key)
    for part in _children(work):
        _derive_map(work, part)


def _find(work: Work, own: list[Part]) -> None:
    """Fill the tables of found keys; of fresh parts there are none."""
    found.fix(work)
    others = [part for part in own if part.label not in work.fresh]
    for part in others:
        if work.is_natural(part):
            continue
        if work.keeps(part):
            found.find_own(work, part)
        else:
            ledger.find(work, part, only_there=True)
            # Where no key can be made, a row with the same key is the same row.
            if _new_key(part, is_empty=False) is None:
                found.find_own(work, part)
    found.find_natural(work, others)
    for part in others:
        if not work.keeps(part):
            # Rows that are gone come back under their keys, unless somebody has made them anew.
            ledger.find(work, part, only_there=False)


# New keys


def _make_map(work: Work, part: Part) -> None:
    is_empty = work.is_empty(part)
    new = None if work.keeps(part) else _new_key(part, is_empty=is_empty)
    if new is not None:
        # A sequence behind its table would give keys that are taken. Moving it is harmless if all is taken back.
        forward(work.session, part.target, part.table.key, part.found)
    statement = sql.SQL(
        "CREATE TEMP TABLE {map} ON COMMIT DROP AS SELECT q.old, q.new, {existed} AS existed"
        " FROM (SELECT s.{k} AS old, coalesce(f.new, {new})::{type} AS new"
        " FROM {stage} s LEFT JOIN {found} f ON f.old = s.{k}) q {there}"
    )
    there = sql.SQL("LEFT JOIN {} t ON t.{} = q.new").format(part.target.identifier, part.key)
    work.session.run(
        statement.format(
            map=part.map,
            existed=sql.SQL("false") if is_empty else sql.SQL("t.{} IS NOT NULL").format(part.key),
            k=part.key,
            new=new or sql.SQL("s.{}").format(part.key),
            type=sql.SQL(part.key_column.type),
            stage=part.stage,
            found=part.found,
            there=sql.SQL("") if is_empty else there,
        )
    )
    _finish_map(work, part)
    _refuse_twice(work, part)
    if new is not None and not is_empty:
        _refuse_taken(work, part)


def _new_key(part: Part, *, is_empty: bool) -> sql.Composable | None:
    """What makes a key: the sequence; for UUIDs and the like the default, if theirs is taken; None for nothing."""
    key = part.key_column
    if key.sequence:
        return sql.SQL("nextval({})").format(sql.Literal(key.sequence))
    made = key.default if "(" in key.default else "gen_random_uuid()" if key.base == "uuid" else ""
    if not made:
        return None
    own = sql.SQL("s.{}").format(part.key)
    if is_empty:
        return own
    statement = sql.SQL("CASE WHEN EXISTS (SELECT FROM {} t WHERE t.{} = {own}) THEN {} ELSE {own} END")
    return statement.format(part.target.identifier, part.key, sql.SQL(made), own=own)


def _children(work: Work) -> list[Part]:
    """The parts whose key is that of a parent, the parent's own always before them."""
    children = [part for part in work.parts if part.key_reference is not None]
    labels = {part.label for part in children}
    ordered: list[Part] = []
    while children:
        waiting = {part.label for part in children}
        ready = [one for one in children if one.key_reference.model not in waiting & labels - {one.label}]
        ordered += ready or children
        children = [one for one in children if one not in ordered]
    return ordered


def _derive_map(work: Work, part: Part) -> None:
    source = work.source(part.key_reference)
    above = source.map if source else None
    join = sql.SQL("LEFT JOIN {} r ON r.old = s.{}").format(above, part.key) if above else sql.SQL("")
    new = sql.SQL("coalesce(r.new, s.{})" if above else "s.{}").format(part.key)
    statement = sql.SQL(
        "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT q.old, q.new, t.{k} IS NOT NULL AS existed"
        " FROM (SELECT s.{k} AS old, {} AS new FROM {} s {}) q LEFT JOIN {} t ON t.{k} = q.new"
    )
    work.session.run(statement.format(part.map, new, part.stage, join, part.target.identifier, k=part.key))
    _finish_map(work, part)


def _finish_map(work: Work, part: Part) -> None:
    _require_keys(work, part, part.map, sql.Identifier("old"))
    work.session.run(sql.SQL("ANALYZE {}").format(part.map))


def _require_keys(work: Work, part: Part, table: sql.Identifier, column: sql.Identifier) -> None:
    try:
        work.session.run(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, column))
    except (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation) as error:
        why = error.diag.message_detail or "NULL"
        who = "the bundle" if part.target.primary == part.table.key else "the bundle or the target"
        msg = f"staging {part.label}: {who} has a key twice, or a row without one: {why}"
        raise StagingError(msg) from None


def _refuse_twice(work: Work, part: Part) -> None:
    """New keys are never given twice, but those that were found may be."""
    if not work.session.value(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(part.found)):
        return
    statement = sql.SQL(
        "SELECT new::text, (array_agg(old::text ORDER BY old))[1:5] FROM {} GROUP BY new HAVING count(*) > 1 LIMIT {}"
    )
    if rows := work.session.rows(statement.format(part.map, _SHOWN)):
        told = "; ".join(f"{', '.join(olds)} would all become {new}" for new, olds in rows)
        msg = f"staging {part.label}: several rows of the bundle would become one: {told}"
        raise StagingError(msg)


def _refuse_taken(work: Work, part: Part) -> None:
    """A sequence that goes down, or around, may give the key of a row that is there: that would be written over."""
    statement = sql.SQL(
        "SELECT m.new::text FROM {} m WHERE m.existed AND NOT EXISTS (SELECT FROM {} f WHERE f.old = m.old)"
        " ORDER BY m.new LIMIT {}"
    )
    if rows := work.session.rows(statement.format(part.map, part.found, _SHOWN)):
        taken = ", ".join(new for (new,) in rows)
        what = f"{part.key_column.sequence or 'the default'} of {part.table.key} gives keys that are taken: {taken}"
        msg = f"staging {part.label}: {what}; set it to where there are none, or load with ids='keep' or 'natural'"
        raise StagingError(msg)
