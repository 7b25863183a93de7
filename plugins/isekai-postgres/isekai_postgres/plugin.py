"""What isekai-postgres registers. Nothing else is in this module, so that listing plugins stays cheap."""

from collections.abc import Callable

from isekai_core import hookimpl


@hookimpl
def isekai_register_seeders(register: Callable[[str, str], None]) -> None:
    """Register `table`."""
    register("table", "isekai_postgres.seed:TableSeeder")


@hookimpl
def isekai_register_slice_sources(register: Callable[[str, str], None]) -> None:
    """Register `postgres`."""
    register("postgres", "isekai_postgres.slices:Postgres")


@hookimpl
def isekai_register_slice_targets(register: Callable[[str, str], None]) -> None:
    """Register `postgres`."""
    register("postgres", "isekai_postgres.slices:Postgres")
