"""Schemas that nobody thought of: a few tables with keys of any kind, that point to one another in any way.

A schema is plain data, which hypothesis makes and makes smaller; `Tables` are models of it, and rows.
"""

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.apps import apps
from django.db import connections, models, transaction
from hypothesis import strategies as st

APP = "testapp"
_numbers = count()
_TEXTS = ("a", "z", "Z", "ü", '"', "'", "%s", "a,b", "\\.", "\n", "NULL", " ", "{}")


@dataclass(frozen=True)
class Link:
    """A foreign key: the place of the table it points to, whether it may be NULL, and whether it is unique."""

    target: int
    null: bool
    once: bool
    by_name: bool


@dataclass(frozen=True)
class Table:
    """A table: the kind of its key, its foreign keys, the tables of its many-to-many fields, how many rows.

    A key of the kind `parent` is that of the table before it; of the first table, a number.
    """

    key: str
    links: tuple[Link, ...]
    many: tuple[int, ...]
    rows: int


def schemas(rows: int = 8) -> st.SearchStrategy[tuple[Table, ...]]:
    """Schemas of one to four tables."""
    return st.integers(1, 4).flatmap(
        lambda size: st.lists(_tables(size, rows), min_size=size, max_size=size).map(tuple)
    )


def _tables(size: int, rows: int) -> st.SearchStrategy[Table]:
    places = st.integers(0, size - 1)
    links = st.builds(Link, places, st.booleans(), st.booleans(), st.sampled_from([False, False, True]))
    return st.builds(
        Table,
        st.sampled_from(["auto", "auto", "uuid", "text", "parent"]),
        st.lists(links, max_size=3).map(tuple),
        st.lists(places, max_size=1).map(tuple),
        st.integers(0, rows),
    )


class Tables:
    """The models of a schema, and rows for them.

    models: those of the tables, in their order; `all` has those of tables between, too.
    """

    def __init__(self, schema: tuple[Table, ...], seed: int) -> None:
        self.schema = schema
        self.number = next(_numbers)
        self.models = [self._model(place, table) for place, table in enumerate(schema)]
        pairs = [(model, n) for model, table in zip(self.models, schema, strict=True) for n in range(len(table.many))]
        between = [model._meta.get_field(f"many{n}").remote_field.through for model, n in pairs]
        self.all = [*self.models, *between]
        self.rows = self._rows(random.Random(seed))

    def name(self, place: int) -> str:
        """That of a model."""
        return f"Made{self.number}x{place}"

    def kind(self, place: int) -> str:
        """That of a table's key."""
        kind = self.schema[place].key
        return "auto" if kind == "parent" and place == 0 else kind

    def _model(self, place: int, table: Table) -> type[models.Model]:
        keys = {
            "auto": lambda: models.BigAutoField(primary_key=True),
            "uuid": lambda: models.UUIDField(primary_key=True, default=uuid.uuid4),
            "text": lambda: models.CharField(primary_key=True, max_length=20),
        }
        fields: dict[str, object] = {
            "name": models.CharField(max_length=40, unique=True),
            "n": models.IntegerField(null=True, db_column="it's {n}"),
        }
        if self.kind(place) == "parent":
            fields["parent"] = models.OneToOneField(
                f"{APP}.{self.name(place - 1)}", models.CASCADE, primary_key=True, related_name=f"child{place}"
            )
        else:
            fields["id"] = keys[self.kind(place)]()
        for number, link in enumerate(table.links):
            kind = models.OneToOneField if link.once else models.ForeignKey
            fields[f"link{number}"] = kind(
                f"{APP}.{self.name(link.target)}", models.CASCADE, null=link.null, related_name=f"back{place}x{number}",
                **({"to_field": "name"} if link.by_name else {}),
            )  # fmt: skip
        for number, target in enumerate(table.many):
            fields[f"many{number}"] = models.ManyToManyField(
                f"{APP}.{self.name(target)}", related_name=f"manyback{place}x{number}"
            )
        meta = type("Meta", (), {"app_label": APP})
        return type(self.name(place), (models.Model,), {"__module__": "testapp.models", "Meta": meta, **fields})

    # Rows

    def _rows(self, chance: random.Random) -> list[list[Any]]:
        sizes = self._sizes()
        made: list[list[Any]] = []
        for place, size in enumerate(sizes):
            above = made[-1] if made else []
            made.append([self._row(place, number, above, chance) for number in range(size)])
        for rows, table in zip(made, self.schema, strict=True):
            for number, link in enumerate(table.links):
                targets = self._targets(made[link.target], len(rows), link, chance)
                for row, target in zip(rows, targets, strict=True):
                    value = None if target is None else target.name if link.by_name else target.pk
                    setattr(row, f"link{number}_id", value)
        return [*made, *self._between(made, chance)]

    def _sizes(self) -> list[int]:
        """Fewer rows, where they could not have what they need."""
        sizes = [table.rows for table in self.schema]
        before: list[int] = []
        while sizes != before:
            before = list(sizes)
            for place, table in enumerate(self.schema):
                if self.kind(place) == "parent":
                    sizes[place] = min(sizes[place], sizes[place - 1])
                for link in table.links:
                    if not link.null:
                        limit = sizes[link.target] if link.once else sizes[place] * bool(sizes[link.target])
                        sizes[place] = min(sizes[place], limit)
        return sizes

    def _row(self, place: int, number: int, above: list[Any], chance: random.Random) -> Any:
        keys = {
            "auto": lambda: number * 7 + chance.randint(1, 7),
            "uuid": lambda: uuid.UUID(int=chance.getrandbits(128), version=4),
            "text": lambda: f"{chance.choice(_TEXTS)}{number}",
            "parent": lambda: above[number].pk,
        }
        name = f"{chance.choice(_TEXTS)}{place}x{number}"
        return self.models[place](pk=keys[self.kind(place)](), name=name, n=chance.choice([None, 1, 2, 3, 4]))

    @staticmethod
    def _targets(rows: list[Any], size: int, link: Link, chance: random.Random) -> list[Any]:
        if link.once:
            some: list[Any] = list(chance.sample(rows, min(size, len(rows))))
            some += [None] * (size - len(some))
        else:
            some = [chance.choice(rows) if rows else None for _ in range(size)]
        return [None if link.null and chance.random() < 0.3 else one for one in some]

    def _between(self, made: list[list[Any]], chance: random.Random) -> Iterator[list[Any]]:
        for place, table in enumerate(self.schema):
            for number, target in enumerate(table.many):
                field = self.models[place]._meta.get_field(f"many{number}")
                near, far = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
                pairs = [(one, other) for one in made[place] for other in made[target] if chance.random() < 0.3]
                through = field.remote_field.through
                yield [through(id=at + 1, **{near: one.pk, far: other.pk}) for at, (one, other) in enumerate(pairs)]

    # Databases

    @contextmanager
    def within(self, *aliases: str) -> Iterator[None]:
        """The tables and rows are in these databases; afterwards nobody knows the models."""
        try:
            for alias in aliases:
                with connections[alias].schema_editor() as editor:
                    for model in self.models:
                        editor.create_model(model)
                self.fill(alias)
            yield
        finally:
            for alias in aliases:
                self._drop(alias)
            for model in self.all:
                apps.all_models[APP].pop(str(model._meta.model_name), None)
            apps.clear_cache()

    def fill(self, alias: str) -> None:
        """Write the rows."""
        with transaction.atomic(using=alias):
            for rows in self.rows:
                if rows:
                    type(rows[0])._base_manager.using(alias).bulk_create(rows)

    def empty(self, alias: str) -> None:
        """Take all rows away."""
        with transaction.atomic(using=alias):
            for model in reversed(self.all):
                model._base_manager.using(alias)._raw_delete(alias)

    def _drop(self, alias: str) -> None:
        connection = connections[alias]
        cascade = " CASCADE" if connection.vendor == "postgresql" else ""
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            there = connection.introspection.table_names(cursor)
            for model in reversed(self.all):
                if model._meta.db_table in there:
                    cursor.execute(f"DROP TABLE {connection.ops.quote_name(model._meta.db_table)}{cascade}")
