"""Statements: what writes the staged rows of a part into its table, and says which rows are there and differ."""

from psycopg import sql

from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.fresh import KEY
from isekai_postgres.loading.references import Mapped, final, lost, mapped
from isekai_postgres.loading.work import Work

Values = dict[str, sql.Composable]


def statements(work: Work, part: Part, *, has_existing: bool) -> list[sql.Composed]:
    """What writes the rows of a part: mostly a single statement.

    has_existing: whether rows of the bundle may be there already.
    """
    references = mapped(work, part)
    values = _values(work, part, references)
    updates = has_existing and work.choice.on_conflict == "update"
    others = [name for name in values if name not in part.defaults and name != part.table.key]
    if updates and part.target.primary == part.table.key:
        return [_insert(work, part, values, references, _on_conflict(part, others))]
    # No index tells a conflict, where keys are unique in a partition only, at the end of a transaction, or by chance.
    changed = [_update(part, values, others, references)] if updates and others else []
    return [*changed, _insert(work, part, values, references)]


def _values(work: Work, part: Part, references: list[Mapped]) -> Values:
    """Column of the target to what it gets."""
    values: Values = {
        column.name: sql.SQL("s.{}").format(sql.Identifier(column.name))
        for column in part.table.columns
        if not part.target.columns[column.name].generated
    }
    values |= {one.column: final(work, one) for one in references}
    new = sql.SQL("s.{}").format(KEY) if part.label in work.fresh else sql.SQL("m.new")
    return {**values, **part.defaults, part.table.key: new}


def _insert(
    work: Work, part: Part, values: Values, references: list[Mapped], conflict: sql.Composed | None = None
) -> sql.Composed:
    """conflict: what to do with rows that are there; without it, they are left out."""
    is_fresh = part.label in work.fresh
    own = sql.SQL("" if is_fresh else "JOIN {} m ON m.old = s.{}").format(part.map, part.key)
    new = sql.SQL("WHERE NOT m.existed" if conflict is None else "")
    return sql.SQL(
        "INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {stage} s"
        " {own} {joins} {where} {conflict}"
    ).format(
        target=part.target.identifier,
        columns=sql.SQL(", ").join(map(sql.Identifier, values)),
        values=sql.SQL(", ").join(values.values()),
        stage=part.stage,
        own=own,
        joins=sql.SQL(" ").join(one.join for one in references),
        where=_without_lost(work, part) if is_fresh else new,
        conflict=conflict or sql.SQL(""),
    )


def _without_lost(work: Work, part: Part) -> sql.Composed:
    found = [sql.SQL("NOT {}").format(condition) for _, condition in lost(work, part)]
    return sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(found)) if found else sql.Composed([])


def _on_conflict(part: Part, others: list[str]) -> sql.Composed:
    """Rows that are there are written only if something is different."""
    if not others:
        return sql.SQL("ON CONFLICT ({}) DO NOTHING").format(part.key)
    changes, differ = _changes(others, part.target.identifier, sql.Identifier("excluded"))
    return sql.SQL("ON CONFLICT ({}) DO UPDATE SET {} WHERE {}").format(part.key, changes, differ)


def _update(part: Part, values: Values, others: list[str], references: list[Mapped]) -> sql.Composed:
    """The same of rows that are there, found by their keys alone."""
    there, given = sql.Identifier("t"), sql.Identifier("v")
    changes, differ = _changes(others, there, given)
    typed = [
        sql.SQL("({})::{} AS {}").format(values[name], sql.SQL(part.target.columns[name].type), sql.Identifier(name))
        for name in (part.table.key, *others)
    ]
    return sql.SQL(
        "UPDATE {target} AS t SET {changes} FROM (SELECT {values} FROM {stage} s JOIN {map} m ON m.old = s.{key}"
        " {joins} WHERE m.existed) AS v WHERE t.{key} = v.{key} AND {differ}"
    ).format(
        target=part.target.identifier,
        changes=changes,
        values=sql.SQL(", ").join(typed),
        stage=part.stage,
        map=part.map,
        key=part.key,
        joins=sql.SQL(" ").join(one.join for one in references),
        differ=differ,
    )


def _changes(names: list[str], there: sql.Identifier, given: sql.Identifier) -> tuple[sql.Composed, sql.Composed]:
    """What is assigned, and the condition that some of it differs."""
    pairs = [(sql.Identifier(name), sql.SQL("{}.{}").format(given, sql.Identifier(name))) for name in names]
    changes = sql.SQL(", ").join(sql.SQL("{} = {}").format(column, value) for column, value in pairs)
    own = sql.SQL(", ").join(sql.SQL("{}.{}").format(there, column) for column, _ in pairs)
    others = sql.SQL(", ").join(value for _, value in pairs)
    # By what is stored, and not by the equality of a type: some have none, to citext "Ada" is "ADA", and a month is 30
    # days to an interval.
    return changes, sql.SQL("pg_catalog.record_image_ne(ROW({}), ROW({}))").format(own, others)
