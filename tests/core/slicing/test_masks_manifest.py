"""What a manifest says of masks: those that were applied, by name, and nothing else."""

import json

import pytest

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
