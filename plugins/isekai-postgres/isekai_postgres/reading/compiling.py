"""Querysets as SQL for the source: by Django's compiler for that connection, and by the driver's own quoting."""

from typing import Any

import psycopg
from django.db.utils import load_backend

from isekai_core.errors import ExportError
from isekai_core.types.slices import TablePlan
from isekai_postgres.names import for_compiler
from isekai_postgres.reading.snapshot import Origin


class Compiler:
    """Makes SQL of querysets, for one connection to the source, which need not be in Django's DATABASES."""

    def __init__(self, origin: Origin, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._django = load_backend(origin.engine).DatabaseWrapper(_settings(origin), alias=origin.alias)
        self._django.connection = connection
        # Known already; asking for it is refused in a notebook, where an event loop runs.
        self._django.pg_version = connection.info.server_version
        # Django's own leaves quotes and percent signs in names as they are, and so cannot ask for such tables.
        self._django.ops.quote_name = for_compiler

    def keys(self, table: TablePlan) -> str | None:
        """A SELECT of the primary keys that the table's queryset chooses; None when it has none."""
        if table.queryset is None:
            return None
        # The order says which row of several DISTINCT ON takes; otherwise it only costs.
        rows = table.queryset if table.queryset.query.distinct_fields else table.queryset.order_by()
        return self._compiled(table.model, rows.values("pk"))

    def values(self, table: TablePlan, names: list[str]) -> str:
        """A SELECT of the primary key and of these fields, of all rows: also of fields that parent tables hold."""
        return self._compiled(table.model, table.model_class._base_manager.order_by().values_list("pk", *names))

    def _compiled(self, model: str, rows: Any) -> str:
        try:
            query = rows.query.clone()
            # Nothing is locked in a read-only transaction.
            query.select_for_update = False
            text, values = query.get_compiler(connection=self._django, elide_empty=False).as_sql()
            return psycopg.ClientCursor(self._connection).mogrify(text, values)
        except Exception as error:
            msg = f"{model}: its query cannot be made into SQL for the source: {error}"
            raise ExportError(msg) from error


def _settings(origin: Origin) -> dict[str, Any]:
    return {
        "ENGINE": origin.engine,
        "NAME": origin.parameters.get("dbname") or "",
        "USER": "",
        "PASSWORD": "",
        "HOST": "",
        "PORT": "",
        "OPTIONS": {},
        "TIME_ZONE": None,
        "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "TEST": {},
    }
