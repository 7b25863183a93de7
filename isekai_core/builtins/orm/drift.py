"""Drift: whether a bundle fits the tables of a Django database. All differences are told at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import connections

from isekai_core.builtins.orm.rows import kind_of
from isekai_core.errors import StagingError
from isekai_core.slicing.columns import base_field, fields_of
from isekai_core.slicing.csvtext import read_rows
from isekai_core.slicing.generic import generic_keys
from isekai_core.slicing.values import INTEGERS, TEXTS, is_known
from isekai_core.types.slices import BundleReader, BundleTable, Column, Reference

_CHUNK = 128 * 1024


@dataclass(frozen=True)
class Part:
    """A table of a bundle, and where it goes.

    fields: the model's fields of the bundle's columns, in their order.
    missing: fields of the model that the bundle does not have.
    """

    table: BundleTable
    model: Any
    fields: tuple[Any, ...]
    missing: tuple[Any, ...]

    @property
    def label(self) -> str:
        """The model's label, `shop.Customer`."""
        return self.table.model

    @cached_property
    def key(self) -> int:
        """The place of the key among the columns."""
        return self.place(self.table.key)

    @cached_property
    def key_reference(self) -> Reference | None:
        """Where the key points, if it is a foreign key itself: the key of a multi-table parent."""
        return self.table.columns[self.key].reference

    @cached_property
    def references(self) -> Mapping[int, Reference]:
        """The foreign keys: place to where they point."""
        return {place: one.reference for place, one in enumerate(self.table.columns) if one.reference}

    @cached_property
    def generics(self) -> Sequence[tuple[int, int]]:
        """The generic foreign keys: the places of the content type, and of the key of what it says."""
        found = generic_keys(self.model)
        return [
            (self.place(one.kind), self.place(one.key)) for one in found if self.has(one.kind) and self.has(one.key)
        ]

    def place(self, column: str) -> int:
        """The place of a column; `ValueError` without one."""
        return [one.name for one in self.table.columns].index(column)

    def has(self, column: str) -> bool:
        """Whether the bundle has this column."""
        return any(one.name == column for one in self.table.columns)

    def rows(self, bundle: BundleReader) -> Iterator[list[str | None]]:
        """The rows of the CSV, in the order of the manifest's columns; `StagingError` for other columns."""
        with bundle.open(self.label) as file:
            rows = read_rows(iter(lambda: file.read(_CHUNK), b""))
            header = next(rows, [])
            names = [one.name for one in self.table.columns]
            if sorted(name or "" for name in header) != sorted(names):
                there = ", ".join(name or "''" for name in header)
                msg = f"{self.label}: the file has the columns {there}, the manifest says {', '.join(names)}"
                raise StagingError(msg)
            places = [header.index(name) for name in names]
            for number, row in enumerate(rows, start=1):
                if len(row) != len(places):
                    msg = f"{self.label}: row {number} has {len(row)} values, {len(places)} were expected"
                    raise StagingError(msg)
                yield [row[place] for place in places]


def parts_of(alias: str, tables: Sequence[BundleTable]) -> list[Part]:
    """Where each table goes; `StagingError` lists everything that does not fit."""
    connection = connections[alias]
    differences: list[str] = []
    parts: list[Part] = []
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor, include_views=True))
        for table in tables:
            try:
                model: Any = apps.get_model(table.model)
            except (LookupError, ValueError):
                differences.append(f"{table.model}: this project has no such model")
                continue
            name = model._meta.db_table
            if name not in there and connection.introspection.identifier_converter(name) not in there:
                differences.append(f"{table.model}: there is no table {name!r}; run migrate")
                continue
            columns = {one.name for one in connection.introspection.get_table_description(cursor, name)}
            part = _part(table, model)
            found = [*_differences(part, columns), *_missing(part)]
            differences += [f"{table.model}{text}" for text in found]
            parts.append(part)
    if differences:
        msg = f"the bundle does not fit the target ({len(differences)}): {'; '.join(differences)}; migrate one of them"
        raise StagingError(msg)
    return parts


def _part(table: BundleTable, model: Any) -> Part:
    fields = {one.column: one for one in fields_of(model)}
    known = {column.name for column in table.columns}
    return Part(
        table,
        model,
        tuple(fields.get(column.name) for column in table.columns),
        tuple(one for name, one in fields.items() if name not in known),
    )


def _differences(part: Part, there: set[str]) -> Iterator[str]:
    for column, field in zip(part.table.columns, part.fields, strict=True):
        if field is None:
            yield f".{column.name}: the model has no such column"
        elif column.name not in there:
            yield f".{column.name}: the table has no such column; run migrate"
        elif why := _misfit(column, field):
            yield f".{column.name}: {why}"
    own = part.model._meta.pk.column
    if part.table.key != own:
        yield f".{own}: it is the key here, and in the bundle {part.table.key} is"
    elif not part.has(own):
        yield f".{own}: the bundle does not have the key"


def _misfit(column: Column, field: Any) -> str:
    kind = kind_of(field)
    if not is_known(kind):
        return f"values of a {kind} can only be loaded by a target of the database that knows them"
    if not _fits(column.type, kind):
        return f"a {column.type} does not fit a {kind}"
    limit = getattr(base_field(field), "max_length", None)
    if kind in TEXTS and limit is not None and (column.max_length is None or column.max_length > limit):
        what = "without a limit" if column.max_length is None else f"of up to {column.max_length} characters"
        return f"texts {what} do not fit into {limit}"
    return ""


def _fits(given: str, kind: str) -> bool:
    if given in INTEGERS and kind in INTEGERS:
        return _size(given) <= _size(kind)
    if given in TEXTS and kind in TEXTS:
        # Any address is a text, but few texts are addresses.
        return given == kind or "IPAddress" not in kind
    return given == kind or (given in INTEGERS and kind == "DecimalField")


def _size(kind: str) -> int:
    return 1 if "Small" in kind else 3 if "Big" in kind else 2


def _missing(part: Part) -> Iterator[str]:
    for field in part.missing:
        if field.primary_key:
            continue
        if not (field.null or field.has_default() or field.has_db_default() or field.empty_strings_allowed):
            yield f".{field.column}: it is required and has no default, and the bundle does not have it"
