"""Counters of keys: whether the one of a table was set back since a slice was loaded, as by `manage.py flush`.

The keys of then are given once more, to other rows. A counter that was set back is behind a remembered key, until
enough rows have come. PostgreSQL tells it for good, as a sequence has another file then; but after a dump and a
restore, or with another type of the keys, it has another file all the same: so it is remembered, too, where the file
was, and elsewhere it says nothing. What is noted of files is that of isekai-postgres, too.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.models import AutoField

from isekai_core.builtins.orm.rows import rows_of
from isekai_core.slicing.columns import base_field

TABLE = "isekai_slice_map_counters"

_CREATE = f"""
    CREATE TABLE {TABLE} (
        slice text COLLATE "C", model text COLLATE "C", place text NOT NULL, file oid NOT NULL, last bigint,
        PRIMARY KEY (slice, model)
    )
"""
# The map itself is another table after a restore.
_NOW = """
    SELECT 'isekai_slice_map'::regclass::oid || '.' || q.seqtypid AS place, pg_relation_filenode(q.seqrelid) AS file
    FROM pg_catalog.pg_sequence q WHERE q.seqrelid = %s::regclass
"""
# There is nothing of a user's in these names.
_HAS_ANOTHER_FILE = f"""
    SELECT EXISTS (SELECT FROM {TABLE} c JOIN ({_NOW}) n ON n.place = c.place AND n.file <> c.file
                   WHERE c.slice = %s AND c.model = %s)
"""  # noqa: S608
_NOTE = f"""
    INSERT INTO {TABLE} (file, place, slice, model) SELECT n.file, n.place, %s, %s FROM ({_NOW}) n
    ON CONFLICT (slice, model) DO UPDATE SET place = excluded.place, file = excluded.file, last = NULL
"""  # noqa: S608
# One that goes down, or around, is behind for other reasons. Its name is quoted by the server.
_LAST = """
    SELECT CASE WHEN q.seqincrement < 0 OR q.seqcycle THEN NULL WHEN s.is_called THEN s.last_value
                ELSE s.last_value - 1 END
    FROM {} s, pg_catalog.pg_sequence q WHERE q.seqrelid = %s::regclass
"""
# A table of SQLite's that was made otherwise gives the greatest key again when its row is gone.
_COUNTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s AND sql LIKE '%%AUTOINCREMENT%%'"
_FORGET = f"DELETE FROM {TABLE} WHERE slice = %s"  # noqa: S608


def is_numbered(model: Any) -> bool:
    """Whether a counter numbers the rows of a model; of a multi-table child, it is that of its parent."""
    return isinstance(base_field(model._meta.pk), AutoField)


def was_set_back(alias: str, name: str, model: Any, greatest: int) -> bool:
    """Whether keys that loads under `name` gave to rows of this model, which are numbered, may be given to others.

    greatest: the greatest of them.
    """
    field = base_field(model._meta.pk)
    last = _last(alias, field)
    if last is None:
        # It does not tell, but in an empty table new keys do no harm.
        return not rows_of(alias, field.model).exists()
    return last < greatest or _has_another_file(alias, name, model, field)


def note(alias: str, name: str, models: Iterable[Any]) -> None:
    """Note what the counters of these models are now, when the map is made, for the next load under `name`."""
    if connections[alias].vendor != "postgresql":
        return
    if not _exists(alias):
        _ask(alias, _CREATE)
    for model in filter(is_numbered, models):
        if sequence := sequence_of(alias, base_field(model._meta.pk)):
            _ask(alias, _NOTE, name, model._meta.label, sequence)


def forget(alias: str, name: str) -> None:
    """Forget a slice."""
    if _exists(alias):
        _ask(alias, _FORGET, name)


def sequence_of(alias: str, field: Any) -> str:
    """The sequence of a key; "" where the database numbers rows in another way."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return ""
    name = connection.ops.quote_name(field.model._meta.db_table)
    return _ask(alias, "SELECT pg_get_serial_sequence(%s, %s)", name, field.column) or ""


def _last(alias: str, field: Any) -> int | None:
    """The last key that the database has given; None where it does not tell."""
    last: int | None = None
    table = field.model._meta.db_table
    if sequence := sequence_of(alias, field):
        last = _ask(alias, _LAST.format(sequence), sequence)
    elif connections[alias].vendor == "sqlite" and _ask(alias, _COUNTS, table):
        last = _ask(alias, "SELECT seq FROM sqlite_sequence WHERE name = %s", table) or 0
    return last


def _has_another_file(alias: str, name: str, model: Any, field: Any) -> bool:
    sequence = sequence_of(alias, field)
    return bool(sequence and _exists(alias) and _ask(alias, _HAS_ANOTHER_FILE, sequence, name, model._meta.label))


def _exists(alias: str) -> bool:
    return TABLE in connections[alias].introspection.table_names()


def _ask(alias: str, statement: str, *values: Any) -> Any:
    """The first value of the first row; None without one."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, values or None)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None
