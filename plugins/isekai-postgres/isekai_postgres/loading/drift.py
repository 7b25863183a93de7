"""Drift: whether the bundle fits the target's tables, before a byte is loaded. All differences are told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.apps import apps
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql

from isekai_core.errors import StagingError
from isekai_core.types.slices import BundleTable, Column
from isekai_postgres.loading.session import Session
from isekai_postgres.loading.target import TargetColumn, TargetTable, find_table, why_no_table

_INTEGERS = ("int2", "int4", "int8", "numeric")
_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
_FITTING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("SmallAutoField", "SmallIntegerField", "PositiveSmallIntegerField"), frozenset(_INTEGERS)),
    **dict.fromkeys(("AutoField", "IntegerField", "PositiveIntegerField"), frozenset(_INTEGERS[1:])),
    **dict.fromkeys(("BigAutoField", "BigIntegerField", "PositiveBigIntegerField"), frozenset(_INTEGERS[2:])),
    **dict.fromkeys(("CharField", "TextField", "SlugField", "FileField", "FilePathField"), _TEXTS),
    "BinaryField": frozenset({"bytea"}),
    "BooleanField": frozenset({"bool"}),
    "DateField": frozenset({"date"}),
    "DateTimeField": frozenset({"timestamptz", "timestamp"}),
    "DecimalField": frozenset({"numeric"}),
    "DurationField": frozenset({"interval"}),
    "FloatField": frozenset({"float8", "numeric"}),
    "GenericIPAddressField": frozenset({"inet"}),
    "JSONField": frozenset({"jsonb", "json"}),
    "TimeField": frozenset({"time"}),
    "UUIDField": frozenset({"uuid"}),
}
_OF_DJANGO = frozenset().union(*_FITTING.values())


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the bundle, and where it goes.

    defaults: what required columns of the target get that the bundle does not have.
    """

    table: BundleTable
    model: Any
    target: TargetTable
    number: int
    defaults: Mapping[str, sql.Composable] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The model's label, `shop.Customer`."""
        return self.table.model

    @property
    def key(self) -> sql.Identifier:
        """The key column, for SQL."""
        return sql.Identifier(self.table.key)

    @property
    def key_column(self) -> TargetColumn:
        """The key column in the target."""
        return self.target.columns[self.table.key]

    @property
    def key_reference(self) -> Any:
        """Where the key points, if it is a foreign key itself: the key of a multi-table parent."""
        return next((column.reference for column in self.table.columns if column.name == self.table.key), None)

    @property
    def stage(self) -> sql.Identifier:
        """The staging table. Numbered: names of tables would be too long with anything put before them."""
        return sql.Identifier("pg_temp", f"isekai_stage_{self.number}")

    @property
    def found(self) -> sql.Identifier:
        """Old keys whose new ones are known before any new key is made."""
        return sql.Identifier("pg_temp", f"isekai_found_{self.number}")

    @property
    def map(self) -> sql.Identifier:
        """All old keys and their new ones."""
        return sql.Identifier("pg_temp", f"isekai_map_{self.number}")

    def has(self, name: str) -> bool:
        """Whether the bundle has this column of the table."""
        return any(column.name == name for column in self.table.columns)


def parts_of(session: Session, tables: list[BundleTable]) -> tuple[Part, ...]:
    """Where each table goes; `StagingError` lists everything that does not fit the target."""
    parts: list[Part] = []
    differences: list[str] = []
    for number, table in enumerate(tables):
        try:
            model = apps.get_model(table.model)
        except (LookupError, ValueError):
            differences.append(f"{table.model}: this project has no such model")
            continue
        target = find_table(session, model._meta.db_table)
        if target is None:
            differences.append(f"{table.model}: {why_no_table(session, model._meta.db_table)}")
            continue
        defaults = dict(_defaults(model, table, target))
        differences += [f"{table.model}{text}" for text in _differences(model, table, target, defaults)]
        parts.append(Part(table, model, target, number, defaults))
    if differences:
        msg = f"the bundle does not fit the target ({len(differences)}): {'; '.join(differences)}; migrate one of them"
        raise StagingError(msg)
    return tuple(parts)


def _differences(
    model: Any, table: BundleTable, target: TargetTable, defaults: Mapping[str, sql.Composable]
) -> Iterator[str]:
    fields = {one.column: one for one in model._meta.local_concrete_fields}
    for column in table.columns:
        there = target.columns.get(column.name)
        if there is None:
            yield f".{column.name}: the table has no such column"
        # Of a table that Django does not make, nobody has said that the types are those of the model.
        elif model._meta.managed and (why := _misfit(column, there, fields.get(column.name))):
            yield f".{column.name}: {why}"
    known = {column.name for column in table.columns}
    for there in target.columns.values():
        if there.is_required and there.name not in known and there.name not in defaults:
            yield f".{there.name}: it is required and has no default, and the bundle does not have it"
    if table.key not in known:
        yield f".{table.key}: the bundle does not have the key"


def _misfit(column: Column, there: TargetColumn, model_field: Any) -> str:
    fitting = _FITTING.get(column.type)
    declared = model_field.db_type(_django()) if model_field is not None else None
    # Types that are none of Django's were chosen by hand: whether a value fits, the server says.
    is_misfit = fitting is not None and there.base in _OF_DJANGO - fitting
    if is_misfit and _bare(declared) != _bare(there.type):
        return f"a {column.type} does not fit the type {there.type}"
    if there.length is not None and column.max_length is not None and column.max_length > there.length:
        return f"texts of up to {column.max_length} characters do not fit the type {there.type}"
    if column.type in _FITTING and _FITTING[column.type] is _TEXTS and column.max_length is None and there.length:
        return f"texts without a limit do not fit the type {there.type}"
    return ""


def _bare(name: str | None) -> str:
    return (name or "").partition("(")[0].strip().lower()


def _defaults(model: Any, table: BundleTable, target: TargetTable) -> Iterator[tuple[str, sql.Composable]]:
    """What Django would give to required columns that were left out of the bundle; unique ones need values each."""
    known = {column.name for column in table.columns}
    for one in model._meta.local_concrete_fields:
        there = target.columns.get(one.column)
        if there is None or one.column in known or not there.is_required or one.unique:
            continue
        if one.has_default() or one.empty_strings_allowed:
            value = one.get_db_prep_save(one.get_default(), _django())
            if value is not None:
                yield one.column, sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(there.type))


@cache
def _django() -> DatabaseWrapper:
    """Django's knowledge of PostgreSQL, without a connection."""
    return DatabaseWrapper({}, "isekai")
