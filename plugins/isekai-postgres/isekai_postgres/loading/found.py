"""Found keys: those that are not made, because a choice says them, or because the row is in the target already."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from psycopg import sql

from isekai_core.errors import StagingError
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.generic import generic_values
from isekai_postgres.loading.target import find_table
from isekai_postgres.loading.work import Work

_SHOWN = 5


# Fixed keys


def fix(work: Work) -> None:
    """The keys that `choice.fixed` says; `StagingError` for those that cannot be."""
    for label, keys in work.choice.fixed.items():
        part = work.by_model.get(label)
        if part is None:
            _fix_outside(work, label, keys)
            continue
        if part.key_reference is not None:
            msg = f"fixed: the key of {label} is that of its parent {part.key_reference.model}; fix that one"
            raise StagingError(msg)
        _insert_fixed(work, part.found, part.key_column.type, keys, label)
        lost = sql.SQL("SELECT old::text FROM {} f WHERE NOT EXISTS (SELECT FROM {} s WHERE s.{} = f.old) LIMIT {}")
        if rows := work.session.rows(lost.format(part.found, part.stage, part.key, _SHOWN)):
            msg = f"fixed: the bundle has no {label} with the key {', '.join(row[0] for row in rows)}"
            raise StagingError(msg)


def _fix_outside(work: Work, label: str, keys: Mapping[Any, Any]) -> None:
    """Rows that are not in the bundle, and have another key here: only references to them change."""
    pointed = {column.reference.model for part in work.parts for column in part.table.columns if column.reference}
    if label not in pointed:
        msg = f"fixed: the bundle has no {label}, and nothing in it points to one; it has {', '.join(work.by_model)}"
        raise StagingError(msg)
    model = apps.get_model(label)
    target = find_table(work.session, model._meta.db_table)
    if target is None:
        msg = f"fixed: {label} has no table in the target"
        raise StagingError(msg)
    there = sql.Identifier("pg_temp", f"isekai_outside_{len(work.outside)}")
    statement = sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {k} AS old, {k} AS new FROM {} WITH NO DATA")
    work.session.run(statement.format(there, target.identifier, k=sql.Identifier(model._meta.pk.column)))
    _insert_fixed(work, there, target.columns[model._meta.pk.column].type, keys, label)
    work.outside[label] = there


def _insert_fixed(work: Work, there: sql.Identifier, kind: str, keys: Mapping[Any, Any], label: str) -> None:
    if not keys:
        return
    olds, news = ([str(value) for value in some] for some in (keys.keys(), keys.values()))
    statement = sql.SQL("INSERT INTO {} SELECT o::{k}, n::{k} FROM unnest({}::text[], {}::text[]) AS v (o, n)")
    with work.session.told(StagingError, f"fixed: keys of {label}"):
        work.session.run(statement.format(there, sql.Literal(olds), sql.Literal(news), k=sql.SQL(kind)))


# Rows that are there


def find_own(work: Work, part: Part) -> None:
    """A row with this key is there, and keeps it."""
    statement = sql.SQL(
        "INSERT INTO {found} SELECT s.{k}, s.{k} FROM {stage} s JOIN {target} t ON t.{k} = s.{k}"
        " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.old = s.{k})"
    )
    work.session.run(statement.format(found=part.found, k=part.key, stage=part.stage, target=part.target.identifier))


def find_natural(work: Work, parts: list[Part]) -> None:
    """Rows with the same unique values, whose references are compared by the keys found so far, until no more come."""
    wanted = [part for part in parts if not (work.keeps(part) and work.choice.on_conflict != "skip")]
    searches = {part.label: list(_searches(work, part)) for part in wanted if not work.is_empty(part)}
    found = -1
    while found:
        found = sum(work.session.run(search).rowcount for some in searches.values() for search in some)
        for part in wanted:
            work.session.run(sql.SQL("ANALYZE {}").format(part.found))


def _searches(work: Work, part: Part) -> Iterator[sql.Composed]:
    generic = {name: rest for name, *rest in generic_values(work, part, lambda other: _root_found(work, other))}
    for columns in _unique_columns(part):
        joins: list[sql.Composable] = []
        same: list[sql.Composable] = []
        for number, name in enumerate(columns):
            column = sql.Identifier(name)
            value: sql.Composable = sql.SQL("s.{}").format(sql.Identifier(name))
            if there := _found_of(work, part, name):
                alias = sql.Identifier(f"f{number}")
                joins.append(sql.SQL("JOIN {} {a} ON {a}.old = {}").format(there, value, a=alias))
                value = sql.SQL("{}.new").format(alias)
            elif name in generic:
                value, join = generic[name]
                joins.append(join)
            same.append(sql.SQL("t.{} = {}").format(column, value))
        yield sql.SQL(
            "INSERT INTO {found} SELECT DISTINCT ON (s.{k}) s.{k}, t.{k} FROM {stage} s {joins}"
            " JOIN {target} t ON {same}"
            " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.old = s.{k}) ORDER BY s.{k}, t.{k}"
        ).format(
            found=part.found,
            k=part.key,
            stage=part.stage,
            joins=sql.SQL(" ").join(joins),
            target=part.target.identifier,
            same=sql.SQL(" AND ").join(same),
        )


def _unique_columns(part: Part) -> list[tuple[str, ...]]:
    """The unique values of the model: of fields, and of constraints without a condition."""
    meta = part.model._meta
    alone = [(one.name,) for one in meta.local_concrete_fields if one.unique and not one.primary_key]
    together = [tuple(names) for names in meta.unique_together]
    constraints = [tuple(one.fields) for one in meta.total_unique_constraints]
    # A proxy of the same values twice costs a query, and finds nothing more.
    named = dict.fromkeys([*alone, *together, *constraints])
    columns = [tuple(meta.get_field(name).column for name in names) for names in named]
    return [names for names in columns if all(part.has(name) and name in part.target.columns for name in names)]


def _found_of(work: Work, part: Part, name: str) -> sql.Identifier | None:
    reference = next(column.reference for column in part.table.columns if column.name == name)
    source = work.source(reference) if reference else None
    if source is None or source.map is None or reference is None:
        return None
    pointed = next((one for one in work.parts if one.map == source.map), None)
    if pointed is None:
        return source.map
    return _root_found(work, pointed)


def _root_found(work: Work, part: Part) -> sql.Identifier | None:
    root = work.root(part)
    return root.found if root else None
