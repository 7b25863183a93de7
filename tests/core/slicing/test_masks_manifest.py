"""Masks and bundles: a manifest names those that were applied, and what must be masked is, in every kind of plan."""

import json

import pytest

from isekai_core.errors import PlanError
from isekai_core.slicing import DataSlicer, Importer, ImportJob, fake, keep
from isekai_core.testing.shop.models import Country, Person

pytestmark = pytest.mark.django_db


def test_a_manifest_names_the_columns_that_were_masked_and_not_those_that_were_kept(tmp_path):
    class CountryImporter(Importer):
        model = Country

        class Columns:
            code = fake("country_code")
            name = keep

    class PersonImporter(Importer):
        model = Person

        class Columns:
            name = keep
            country = Country

    Country.objects.create(code="de", name="Germany")
    Person.objects.create(name="Ada", country_id="de")
    jobs = [ImportJob(Country), ImportJob(Person)]
    DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / "cut"), jobs, secret="s", progress=False)
    manifest = json.loads((tmp_path / "cut" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["masks"] == {"shop.Country": ["code"], "shop.Person": ["country_id"]}
    masks = {column["name"]: column["mask"] for table in manifest["tables"] for column in table["columns"]}
    assert masks["code"] == masks["country_id"] == "fake('country_code')"
    assert masks["name"] == ""


def test_a_slice_in_which_everything_is_kept_has_no_masks(tmp_path):
    class CountryImporter(Importer):
        model = Country

        class Columns:
            code = keep
            name = keep

    for plan in ([ImportJob(Country)], DataSlicer.plan(Country.objects.all())):
        store = DataSlicer.File(tmp_path / "cut", overwrite=True)
        DataSlicer.run(DataSlicer.Orm(), store, plan, progress=False)
        manifest = store.reader().manifest
        assert manifest["masks"] == {}
        assert {column["mask"] for column in manifest["tables"][0]["columns"]} == {""}


def test_a_plan_that_is_made_of_rows_is_refused_too_where_masks_are_required(tmp_path):
    class PersonImporter(Importer):
        model = Person

        class Columns:
            name = keep
            notes = keep

    plan = DataSlicer.plan(Person.objects.all())
    store = DataSlicer.File(tmp_path / "cut")
    with pytest.raises(PlanError, match=r"nothing says what becomes of .*shop\.Country\.name"):
        DataSlicer.run(DataSlicer.Orm(), store, plan, masks="required", progress=False)
    assert not (tmp_path / "cut").exists()
