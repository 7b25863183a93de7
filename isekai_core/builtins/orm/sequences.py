"""New keys of rows, and sequences that know of the keys that were given."""

from collections.abc import Iterator
from typing import Any

from django.db import connections
from django.db.models import Max

from isekai_core.builtins.orm import ledger
from isekai_core.builtins.orm.counters import sequence_of
from isekai_core.builtins.orm.rows import rows_of


def new_keys(alias: str, model: Any, count: int, taken: set[str]) -> list[str]:
    """So many keys that nobody has: from the database's own sequence where it has one, else behind the greatest.

    taken: keys that rows of this load get already.
    """
    forward(alias, model)
    sequence = sequence_of(alias, model._meta.pk)
    source = _from_sequence(alias, sequence, count) if sequence else _behind(alias, model)
    found: list[str] = []
    while len(found) < count:
        key = str(next(source))
        if key not in taken:
            found.append(key)
    return found


def forward(alias: str, model: Any) -> None:
    """Move the sequence of a model's key behind the greatest key, if it is not there yet; never back."""
    sequence = sequence_of(alias, model._meta.pk)
    if not sequence:
        return
    connection = connections[alias]
    quote = connection.ops.quote_name
    key, table = quote(model._meta.pk.column), quote(model._meta.db_table)
    # The names are quoted by Django, and by the server; there is nothing of a user's in them.
    statement = (
        f"SELECT setval(%s, top) FROM {sequence} q, (SELECT max({key}) AS top FROM {table}) t"  # noqa: S608
        " WHERE q.last_value < top OR (q.last_value = top AND NOT q.is_called)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [sequence])


def _from_sequence(alias: str, sequence: str, count: int) -> Iterator[int]:
    while True:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
            yield from [row[0] for row in cursor.fetchall()]


def _behind(alias: str, model: Any) -> Iterator[int]:
    """Also behind the keys of rows that were loaded and are gone: an unload of theirs must not meet new ones."""
    top = rows_of(alias, model).aggregate(top=Max("pk"))["top"] or 0
    key = max(top, ledger.greatest(alias, model._meta.label))
    while True:
        key += 1
        yield key
