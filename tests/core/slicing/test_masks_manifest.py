"""Masks and bundles: a manifest names those that were applied, and what must be masked is, in every kind of plan."""

import json

import pytest
from django.contrib.contenttypes.models import ContentType
from testapp.models import Author, Remark

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


def test_tables_to_which_only_a_generic_key_may_lead_need_masks_when_they_have_rows(tmp_path, isekai_importers):
    class RemarkImporter(Importer):
        model = Remark

        class Columns:
            text = keep
            about_id = keep

    class ContentTypeImporter(Importer):
        model = ContentType

        class Columns:
            app_label = keep
            model = keep

    Remark.objects.create(text="of nothing")
    plan = DataSlicer.plan(Remark.objects.all())
    DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / "one"), plan, masks="required", progress=False)
    Remark.objects.create(text="of somebody", about=Author.objects.create(name="Ada"))
    store = DataSlicer.File(tmp_path / "two")
    with pytest.raises(PlanError, match=r"nothing says what becomes of testapp\.Author\."):
        DataSlicer.run(DataSlicer.Orm(), store, plan, masks="required", progress=False)
    assert not (tmp_path / "two").exists()


def test_texts_that_came_along_as_they_are_are_told(tmp_path):
    Remark.objects.create(text="of somebody", about=Author.objects.create(name="Ada"))
    plan = DataSlicer.plan(Remark.objects.all())
    result = DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / "cut"), plan, progress=False)
    (note,) = result.notes
    assert note.startswith("not masked, as there is no importer: ")
    assert "testapp.Author.name" in note
