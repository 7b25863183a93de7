"""The suites of slice sources and targets: an export is whole, and what is loaded can be taken out again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.conformance.suite import Given, Suite, must
from isekai_core.types.slices import BundleReader, BundleStore, SlicePlan, SliceSource, SliceTarget, TableReport


class _SliceConformance(Given):
    """What both suites have in common: the class gives its parts as attributes, properties, methods or fixtures."""

    kind = "slice_source"

    @pytest.fixture
    def suite(self, request: pytest.FixtureRequest) -> Suite:
        """What the class gives, for the tests."""
        return Suite(self.kind, self, request)


class SliceSourceConformance(_SliceConformance):
    """Subclass it, and give it a source with some rows, jobs for them, and how many rows they are.

    source: the slice source.
    jobs: of models with importers.
    rows: label of a model to the number of its rows.

    class TestAcme(SliceSourceConformance):
        source = Acme("acme://…")
        jobs = [ImportJob(Tenant), ImportJob(Shop)]
        rows = {"shop.Tenant": 2, "shop.Shop": 5}
    """

    kind = "slice_source"

    @pytest.fixture
    def exported(self, suite: Suite, tmp_path: Path) -> BundleReader:
        """The bundle of one export."""
        return _export(suite, tmp_path / "exported")

    def test_it_keeps_the_protocol(self, suite: Suite) -> None:
        """`name`, `export` and `estimate` are there, and the name is a text."""
        source = _source(suite)
        must(isinstance(source, SliceSource), f"{source!r} is no slice source: it needs name, export() and estimate()")
        must(isinstance(source.name, str) and source.name, f"name: expected a text for messages, got {source.name!r}")

    def test_an_export_holds_the_rows_of_every_table(self, suite: Suite, exported: BundleReader) -> None:
        """As many rows as there are, in the plan's order, and counted right."""
        found = {table.model: table.rows for table in exported.tables}
        wanted = suite.needed("rows", '{"shop.Tenant": 2}')
        must(found == wanted, f"expected these rows: {wanted}, got {found}")

    def test_the_same_export_twice_is_equal(self, suite: Suite, exported: BundleReader, tmp_path: Path) -> None:
        """Without an order of its own, a bundle would differ each time, and nobody could tell what changed."""
        again = _export(suite, tmp_path / "again")
        must(again.digest == exported.digest, "two exports of the same rows differ; order them by their keys")

    def test_an_export_with_a_limit_holds_no_row_whose_parent_is_missing(self, suite: Suite, tmp_path: Path) -> None:
        """Of each model one row at most, and what that leaves of the models below."""
        jobs = [ImportJob(job.model, limit=1) for job in _jobs(suite)]
        with_limit = _export(suite, tmp_path / "limited", jobs)
        must(all(table.rows <= 1 for table in with_limit.tables), "limit=1, and a table has more than one row")

    def test_an_estimate_names_every_table(self, suite: Suite) -> None:
        """Numbers of rows and bytes, for `isekai slice plan`."""
        source = _source(suite)
        plan = plan_of(_jobs(suite))
        found = source.estimate(plan)
        wanted = {table.model for table in plan.tables}
        must(set(found) == wanted, f"expected estimates of {sorted(wanted)}, got {sorted(found)}")
        must(all(one.rows >= 0 and one.bytes >= 0 for one in found.values()), "an estimate is below nought")


class SliceTargetConformance(_SliceConformance):
    """Subclass it, and give it an empty target, and a source with jobs whose rows it is to hold.

    target: the slice target, empty.
    source: what has the rows.
    jobs: of models with importers.

    class TestAcme(SliceTargetConformance):
        target = Acme("acme://…")
        source = DataSlicer.Orm()
        jobs = [ImportJob(Tenant), ImportJob(Shop)]
    """

    kind = "slice_target"

    @pytest.fixture
    def bundle(self, suite: Suite, tmp_path: Path) -> BundleStore:
        """The bundle that is loaded."""
        _export(suite, tmp_path / "bundle")
        store: BundleStore = DataSlicer.File(tmp_path / "bundle")
        return store

    def test_it_keeps_the_protocol(self, suite: Suite) -> None:
        """`name`, `load` and `unload` are there."""
        target = _target(suite)
        must(isinstance(target, SliceTarget), f"{target!r} is no slice target: it needs name, load() and unload()")

    def test_a_load_reports_every_table_with_all_its_rows(self, suite: Suite, bundle: BundleStore) -> None:
        """In the order of the bundle, and all of them new."""
        reports = _load(suite, bundle)
        wanted = [(table.model, table.rows) for table in bundle.reader().tables]
        found = [(report.model, report.rows) for report in reports]
        must(sorted(found) == sorted(wanted), f"expected these rows: {wanted}, got {found}")
        must(
            all(one.created == one.rows for one in reports),
            "the target was empty, and not every row is reported as new",
        )

    def test_loading_it_again_under_its_name_creates_nothing(self, suite: Suite, bundle: BundleStore) -> None:
        """The keys are remembered: the same rows are found again, and are as they should be."""
        _load(suite, bundle)
        again = _load(suite, bundle)
        must(not any(one.created for one in again), f"the second load created rows: {again}")

    def test_what_was_loaded_can_be_taken_out_again(self, suite: Suite, bundle: BundleStore) -> None:
        """All rows that the load created, and then there is room for them again."""
        created = sum(report.created for report in _load(suite, bundle))
        removed = sum(report.rows for report in _target(suite).unload("conformance"))
        must(removed == created, f"the load created {created} rows, and taking them out removed {removed}")
        again = sum(report.created for report in _load(suite, bundle))
        must(again == created, f"after that, a load creates {again} rows instead of {created}")


def _source(suite: Suite) -> Any:
    return suite.needed("source", 'Acme("acme://…")')


def _target(suite: Suite) -> Any:
    return suite.needed("target", 'Acme("acme://…")')


def _jobs(suite: Suite) -> list[ImportJob]:
    return suite.several("jobs", ImportJob, "[ImportJob(Tenant), ImportJob(Shop)]")


def _export(suite: Suite, folder: Path, jobs: Sequence[ImportJob] | SlicePlan | None = None) -> BundleReader:
    store = DataSlicer.File(folder)
    DataSlicer.run(_source(suite), store, _jobs(suite) if jobs is None else jobs, progress=False)
    reader: BundleReader = store.reader()
    return reader


def _load(suite: Suite, bundle: BundleStore) -> Sequence[TableReport]:
    return DataSlicer.run(bundle, _target(suite), name="conformance", progress=False)
