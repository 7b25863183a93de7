"""Generic foreign keys of staged rows: their new values, which hang on the content type of each row."""

from collections.abc import Callable, Iterator

from psycopg import sql

from isekai_core.slicing.generic import CONTENT_TYPE, generic_keys, kinds_of
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.work import Work
from isekai_postgres.names import as_key


def generic_values(
    work: Work, part: Part, keys_of: Callable[[Part], sql.Identifier | None]
) -> Iterator[tuple[str, sql.Composable, sql.Composable]]:
    """For each generic foreign key of a part: its column, its new value in the staged row `s`, and what is joined.

    keys_of: the table of old and new keys of another part, if it has one.
    The value is NULL where it points to a row that has no new key.
    """
    types = work.by_model.get(CONTENT_TYPE)
    if types is None:
        return
    for number, generic in enumerate(generic_keys(part.model)):
        if not (part.has(generic.kind) and part.has(generic.key)):
            continue
        alias, own = sql.Identifier(f"c{number}"), sql.SQL("s.{}").format(sql.Identifier(generic.key))
        kind = sql.SQL("s.{}").format(sql.Identifier(generic.kind))
        join = sql.SQL("LEFT JOIN {} {a} ON {a}.{} = {}").format(types.stage, types.key, kind, a=alias)
        there = [(other, keys) for other in work.parts if (keys := keys_of(other)) is not None]
        cases = sql.SQL(" ").join(_case(other, keys, alias, own) for other, keys in there)
        # Without a content type it points nowhere, and is no reference.
        value = sql.SQL("(CASE WHEN {} IS NULL THEN {}::text {} END)::{}").format(
            kind, own, cases, sql.SQL(part.target.columns[generic.key].type)
        )
        yield generic.key, value, join


def _case(part: Part, keys: sql.Identifier, alias: sql.Identifier, own: sql.Composable) -> sql.Composed:
    kinds = sql.SQL(", ").join(sql.SQL("({}, {})").format(*map(sql.Literal, kind)) for kind in kinds_of(part.model))
    return sql.SQL(
        "WHEN ({a}.app_label, {a}.model) IN ({}) THEN (SELECT g.new::text FROM {} g WHERE g.old = {})"
    ).format(kinds, keys, as_key(own, part.key_column.type), a=alias)
