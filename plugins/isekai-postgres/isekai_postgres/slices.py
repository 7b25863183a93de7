"""PostgreSQL as a slice source and a slice target: `DataSlicer.Postgres(url)`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import connections

from isekai_core.types.estimates import Estimate
from isekai_core.types.slices import BundleReader, BundleWriter, LoadChoice, SlicePlan, SliceProgress, TableReport
from isekai_postgres.connection import parameters_of_alias, parameters_of_dsn
from isekai_postgres.reading.snapshot import Origin


class Postgres:
    """A PostgreSQL database that slices are cut from, and loaded into. Nothing connects before one is.

    url: `postgresql://user:password@host:port/database`.
    alias: the database, by its name in Django's DATABASES. Within `transaction.atomic()`, a load is part of it.
    service: the database, by its name in libpq's service file; exactly one of the three.
    statement_timeout: seconds after which the server gives up a statement; without it, never.

    >>> Postgres("postgresql://ada:secret@db.example.org/shop")
    Postgres('postgresql://ada@db.example.org/shop')
    """

    secret_options: ClassVar[tuple[str, ...]] = ("url",)

    def __init__(
        self,
        url: str | None = None,
        *,
        alias: str | None = None,
        service: str | None = None,
        statement_timeout: float | None = None,
    ) -> None:
        if [url, alias, service].count(None) != 2:  # noqa: PLR2004 - of three
            msg = "exactly one of url, alias and service is needed"
            raise ValueError(msg)
        if statement_timeout is not None and not _is_time(statement_timeout):
            msg = (
                f"statement_timeout is a number of seconds above 0, and at most {_LONGEST:,}, got {statement_timeout!r}"
            )
            raise ValueError(msg)
        self._origin = _origin(url, alias, service, statement_timeout)
        self._alias = alias

    @property
    def name(self) -> str:
        """What messages call it, without its password."""
        return self._origin.name

    def __repr__(self) -> str:
        return f"Postgres({self.name!r})"

    def export(
        self, plan: SlicePlan, bundle: BundleWriter, progress: SliceProgress, workers: int = 1
    ) -> Mapping[str, Any]:
        """Write every table of `plan` into `bundle`, all from one snapshot; the facts of that snapshot.

        Raises `ExportError`, and leaves no connection open in any case.
        """
        from isekai_postgres.export import export  # noqa: PLC0415 - only when used

        return export(self._origin, plan, bundle, progress, workers)

    def estimate(self, plan: SlicePlan) -> Mapping[str, Estimate]:
        """What each table would hold, as the planner believes; nothing is read."""
        from isekai_postgres.estimate import estimate  # noqa: PLC0415 - only when used

        return estimate(self._origin, plan)

    def load(self, bundle: BundleReader, choice: LoadChoice, progress: SliceProgress) -> Sequence[TableReport]:
        """Load every table of `bundle` in one transaction.

        Raises `StagingError` or `MergeError`; then everything is as it was.
        """
        from isekai_postgres.loading.joining import transaction_of  # noqa: PLC0415 - only when used
        from isekai_postgres.merge import load  # noqa: PLC0415

        return load(self._origin.for_writing, bundle, choice, progress, transaction_of(self._alias))

    def unload(self, name: str) -> Sequence[TableReport]:
        """Remove exactly the rows that loads under `name` created."""
        from isekai_postgres.loading.joining import transaction_of  # noqa: PLC0415 - only when used
        from isekai_postgres.merge import unload  # noqa: PLC0415

        return unload(self._origin.for_writing, name, transaction_of(self._alias))


_LONGEST = 2_147_483
"""Seconds, which the server counts in thousandths."""


def _is_time(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and 0 < given <= _LONGEST


def _origin(url: str | None, alias: str | None, service: str | None, statement_timeout: float | None) -> Origin:
    if url is not None:
        parameters = parameters_of_dsn(url)
        return Origin(_shown(parameters), parameters, statement_timeout)
    if service is not None:
        if not isinstance(service, str) or not service:
            msg = f"service: expected a name in libpq's service file, got {service!r}"
            raise ValueError(msg)
        return Origin(f"service {service}", {"service": service}, statement_timeout)
    assert alias is not None
    parameters = parameters_of_alias(alias)
    engine = str(connections.settings[alias]["ENGINE"])
    # The alias stays that of the settings: inner querysets may name it by using().
    return Origin(f"{alias} ({_shown(parameters)})", parameters, statement_timeout, engine, alias)


def _shown(parameters: Mapping[str, Any]) -> str:
    """The URL without its password, and without a socket's folder."""
    host = str(parameters.get("host") or "")
    port = f":{parameters['port']}" if parameters.get("port") else ""
    user = f"{parameters['user']}@" if parameters.get("user") else ""
    return f"postgresql://{user}{'' if host.startswith('/') else host}{port}/{parameters.get('dbname') or ''}"
