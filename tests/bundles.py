"""A small plan with two tables, and what a source would write for it."""

import io
import subprocess
import sys
from pathlib import Path

from isekai_core.slicing.csvtext import write_rows
from isekai_core.testing.shop.models import Category, Person
from isekai_core.types.slices import Column, Reference, SlicePlan, TablePlan

CATEGORY = TablePlan(
    model="shop.Category",
    model_class=Category,
    table="shop_category",
    key="id",
    columns=(
        Column("id", "id", "BigAutoField", unique=True),
        Column("slug", "slug", "SlugField", max_length=50, unique=True),
        Column("parent_id", "parent", "BigAutoField", null=True, reference=Reference("shop.Category", "id")),
    ),
)
PERSON = TablePlan(
    model="shop.Person",
    model_class=Person,
    table="shop_person",
    key="id",
    columns=(
        Column("id", "id", "BigAutoField", unique=True),
        Column("name", "name", "CharField", max_length=100, mask="faker.name"),
        Column("picture", "picture", "FileField", max_length=100),
    ),
    files=("picture",),
)
PLAN = SlicePlan((CATEGORY, PERSON), (("shop.Category",), ("shop.Person",)), "7")
CATEGORIES = [["1", "a", None], ["2", "b, c", "1"], ["3", "", "1"]]
PEOPLE = [["1", "Ada\nLovelace", "people/a.jpg"], ["2", "", ""], ["10", 'Zoë "Z"', "people/z.jpg"]]
FILES = {"people/a.jpg": b"\xff\xd8 a", "people/z.jpg": b""}
FACTS = {"source": "postgres db.example.org/shop", "snapshot": "00000003-1", "migrations": {"shop": ["0001_initial"]}}


def csv_of(table, rows):
    return b"".join(write_rows([[column.name for column in table.columns], *rows]))


def fill(writer, categories=CATEGORIES, people=PEOPLE, files=FILES, plan=PLAN):
    """Write the tables and files, without finishing."""
    for table, rows in zip(plan.tables, (categories, people), strict=True):
        content = csv_of(table, rows)
        writer.write(table, [content[:10], content[10:]])
        writer.count(table.model, len(rows))
    for name, content in files.items():
        writer.write_file(name, io.BytesIO(content), "shop.Person.picture")


def write(store, facts=FACTS, masks=None, **given):
    """A whole bundle, as DataSlicer writes it."""
    writer = store.writer(given.get("plan", PLAN), masks)
    try:
        fill(writer, **given)
        return writer.finish(facts)
    except BaseException:
        writer.abandon()
        raise


def names_in(folder):
    """Everything in a folder, with `/` behind folders."""
    return sorted(str(path.relative_to(folder)) + "/" * path.is_dir() for path in Path(folder).rglob("*"))


WHOLE = [
    "files/",
    "files/people%2Fa.jpg",
    "files/people%2Fz.jpg",
    "manifest.json",
    "shop.Category.csv",
    "shop.Person.csv",
]


def contents(folder):
    """Name to bytes of all files in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def start(code, *arguments):
    """A process that has the project set up and this module, and runs `code`; it prints `ready` where a test waits."""
    head = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'isekai_core.testing.settings'\n"
        "import django; django.setup()\n"
        "from bundles import *\n"
        "from isekai_core.builtins.slice_file import File\n"
    )
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", head + code, here, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
