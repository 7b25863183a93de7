"""References: what each foreign key of a staged row becomes, and those that point to nothing in the bundle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from isekai_core.errors import StagingError
from isekai_core.slicing.dangling import SHOWN, Dangling, refusal
from isekai_core.types.slices import Column
from isekai_postgres.loading.drift import Part
from isekai_postgres.loading.generic import generic_values
from isekai_postgres.loading.work import Work


@dataclass(frozen=True, slots=True)
class Mapped:
    """The new value of a column of the staged row `s`.

    value: NULL for a reference that dangles.
    join: what has to be joined for it.
    """

    column: str
    value: sql.Composable
    join: sql.Composable

    @property
    def staged(self) -> sql.Composed:
        """The value in the bundle."""
        return sql.SQL("s.{}").format(sql.Identifier(self.column))


def mapped(work: Work, part: Part) -> list[Mapped]:
    """The references of a part, generic ones too; not its key, which has a map of its own."""
    columns = [column for column in part.table.columns if column.reference and column.name != part.table.key]
    plain = [_mapped(work, column, sql.Identifier(f"r{number}")) for number, column in enumerate(columns)]
    generic = generic_values(work, part, lambda other: other.map)
    return [*plain, *(Mapped(*one) for one in generic)]


def final(work: Work, one: Mapped) -> sql.Composable:
    """What is inserted: with `dangling="keep"`, what has no new value keeps the old one."""
    if work.choice.dangling != "keep":
        return one.value
    return sql.SQL("coalesce({}, {})").format(one.value, one.staged)


def refuse_dangling(work: Work, parts: Iterable[Part]) -> None:
    """`StagingError` for references that point to nothing, unless they are to be kept, or can be NULL and may."""
    if found := [one for part in parts for one in _dangling(work, part)]:
        raise StagingError(refusal(found, work.choice.dangling))


def _mapped(work: Work, column: Column, alias: sql.Identifier) -> Mapped:
    assert column.reference is not None
    source = work.source(column.reference)
    own = sql.SQL("s.{}").format(sql.Identifier(column.name))
    if source is None:
        return Mapped(column.name, sql.SQL("NULL"), sql.SQL(""))
    if source.map is not None:
        join = sql.SQL("LEFT JOIN {} {a} ON {a}.old = {}").format(source.map, own, a=alias)
        return Mapped(column.name, sql.SQL("{}.new").format(alias), join)
    assert source.part is not None
    # What is no key keeps its value, when there is a row with it.
    statement = sql.SQL("CASE WHEN {own} IN (SELECT {} FROM {}) THEN {own} END")
    return Mapped(column.name, statement.format(sql.Identifier(source.column), source.part.stage, own=own), sql.SQL(""))


def lost(work: Work, part: Part) -> list[tuple[Mapped, sql.Composed]]:
    """The references that must not dangle, each with the condition under which it does."""
    if work.choice.dangling == "keep":
        return []
    found = [*_of_key(work, part), *mapped(work, part)]
    if work.choice.dangling == "null":
        found = [one for one in found if part.target.columns[one.column].not_null]
    return [(one, sql.SQL("({} IS NOT NULL AND {} IS NULL)").format(one.staged, one.value)) for one in found]


def _dangling(work: Work, part: Part) -> Iterator[Dangling]:
    """Each column whose dangling references are refused: how many there are, and some of them."""
    found = lost(work, part)
    if not found:
        return
    counts = sql.SQL(", ").join(sql.SQL("count(*) FILTER (WHERE {})").format(condition) for _, condition in found)
    joins = sql.SQL(" ").join(one.join for one, _ in found)
    numbers = work.session.rows(sql.SQL("SELECT {} FROM {} s {}").format(counts, part.stage, joins))[0]
    for (one, condition), number in zip(found, numbers, strict=True):
        if number:
            some = sql.SQL("SELECT DISTINCT {v} FROM {} s {} WHERE {} ORDER BY {v} LIMIT {}").format(
                part.stage, one.join, condition, SHOWN + 1, v=one.staged
            )
            values = [str(row[0]) for row in work.session.rows(some)]
            reference = next(column.reference for column in part.table.columns if column.name == one.column)
            yield Dangling(f"{part.label}.{one.column}", reference.model if reference else "", number, values)


def _of_key(work: Work, part: Part) -> Iterator[Mapped]:
    column = next(one for one in part.table.columns if one.name == part.table.key)
    if column.reference is not None:
        yield _mapped(work, column, sql.Identifier("key"))
