"""The built-in processors keep the contract, as the kit has it."""

from typing import ClassVar

import pytest
from testapp.models import Author, Photo, Place, Tag

from isekai_core import Key, Payload, use
from isekai_core.slicing import DataSlicer, ImportJob
from isekai_core.testing import (
    ExtractorConformance,
    LoaderConformance,
    SeederConformance,
    SliceSourceConformance,
    SliceTargetConformance,
)
from isekai_core.testing.shop.models import Shop, Tenant
from isekai_core.types import FileValue, LoadItem


class TestCsvSeederOfKeys(SeederConformance):
    @pytest.fixture
    def processor(self, tmp_path):
        path = tmp_path / "keys.csv"
        path.write_text("type,value,title\nurl,https://old.example.org/\u00e9,A\nfile,a b.txt,\n", encoding="utf-8")
        return use("csv", path=str(path))


class TestCsvSeederOfRecords(SeederConformance):
    @pytest.fixture
    def processor(self, tmp_path):
        path = tmp_path / "people.csv"
        path.write_text("id;name\n1;Ada\n2;Gr\u00e5ce\n", encoding="utf-8")
        return use("csv", path=str(path), records=True, value_column="id")


class TestFileExtractor(ExtractorConformance):
    keys = (Key("file", "a.html"), Key("file", "pictures/a b.png"), Key("file", "large.bin"))
    missing = (Key("file", "nobody"), Key("file", "pictures"), Key("file", "../secret"), Key("file", "empty.txt"))

    @pytest.fixture
    def processor(self, tmp_path):
        root = tmp_path / "files"
        (root / "pictures").mkdir(parents=True)
        (tmp_path / "secret").write_text("nobody's business")
        (root / "a.html").write_text("<h1>W\u00f6rld</h1>", encoding="utf-16")
        (root / "pictures" / "a b.png").write_bytes(b"\x89PNG")
        (root / "large.bin").write_bytes(bytes(range(256)) * 1024)
        (root / "empty.txt").touch()
        return use("file", root=str(root))


class TestModelLoader(LoaderConformance):
    processor = use("models")
    model = Author
    values: ClassVar = {"slug": "ada", "name": "Ada", "email": "ada@example.org"}


class TestModelLoaderWhichSavesEach(LoaderConformance):
    processor = use("models", save="each")
    model = "testapp.Restaurant"
    values: ClassVar = {"name": "The Anchor", "stars": 2}


class TestModelLoaderOfSeveralRows(LoaderConformance):
    processor = use("models")
    items = tuple(LoadItem(Key("thing", name), "testapp.Tag", {"name": name}) for name in ("blue", "green", "red"))


class TestModelLoaderOfRelationsAndFiles(LoaderConformance):
    processor = use("models")
    model = "testapp.Article"

    def changes(self):
        return {"title": "B", "tags": [], "attachment": FileValue(Payload.from_text("other"), "b.txt")}

    @pytest.fixture
    def values(self, db):
        author = Author.objects.create(slug="ada", name="Ada")
        tags = [Tag.objects.create(name=name) for name in ("blue", "red")]
        photo = Photo.objects.create(file="a.png")
        return {
            "slug": "a",
            "title": "A",
            "author": author.pk,
            "hero": photo.pk,
            "tags": [tag.pk for tag in tags],
            "data": {"a": [1, None]},
            "attachment": FileValue(Payload.from_text("hello"), "a.txt"),
        }


def test_the_tables_of_a_suite_are_empty_for_the_next_one(db):
    assert not Place.objects.exists()


@pytest.fixture
def shops(db, isekai_importers):
    isekai_importers(Tenant)
    isekai_importers(Shop, tenant=Tenant)
    for name in ("one", "two"):
        tenant = Tenant.objects.create(name=name, subdomain=name)
        for number in range(3):
            Shop.objects.create(tenant=tenant, name=f"{name} {number}", url="https://example.org/")


@pytest.mark.usefixtures("shops")
class TestOrmAsSource(SliceSourceConformance):
    rows: ClassVar = {"shop.Tenant": 2, "shop.Shop": 6}

    def source(self):
        return DataSlicer.Orm()

    def jobs(self):
        return [ImportJob(Shop), ImportJob(Tenant)]


@pytest.mark.usefixtures("shops")
class TestOrmAsTarget(SliceTargetConformance):
    @pytest.fixture
    def bundle(self, suite, tmp_path):
        DataSlicer.run(
            DataSlicer.Orm(), DataSlicer.File(tmp_path / "bundle"), [ImportJob(Shop), ImportJob(Tenant)], progress=False
        )
        Shop.objects.all().delete()
        Tenant.objects.all().delete()
        return DataSlicer.File(tmp_path / "bundle")

    def target(self):
        return DataSlicer.Orm()
