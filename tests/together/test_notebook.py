"""The document's example in the cells of a real notebook, each with one kernel: with bars, and without ipywidgets."""

import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from repository import ROOT
from shop_database import ShopDatabase

from isekai_core.testing import own_database

pytestmark = pytest.mark.django_db

PAGE = (ROOT / "docs" / "how-to" / "cut-a-slice.md").read_text(encoding="utf-8")
PREPARE = """
import django
django.setup()
from asgiref.sync import sync_to_async
from django.core.management import call_command
await sync_to_async(call_command)("migrate", run_syncdb=True, verbosity=0)
"""


@pytest.fixture
def source(postgres_url):
    with own_database(postgres_url) as url:
        database = ShopDatabase(url)
        database.fill()
        yield database
        database.close()


@pytest.fixture
def run(project_environment, tmp_path, monkeypatch):
    """Runs cells in a kernel whose project has an SQLite database; the outputs of each, by what they are."""
    for name, value in (project_environment | {"ISEKAI_TEST_DATABASE": "sqlite"}).items():
        monkeypatch.setenv(name, value)

    def run(*cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
        )
        client.execute()
        return [Outputs(cell) for cell in notebook.cells]

    return run


class Outputs:
    """What a cell shows."""

    def __init__(self, cell):
        self.all = cell.outputs

    @property
    def text(self):
        return "".join(one.text for one in self.all if one.output_type == "stream")

    def data(self, kind):
        return [one.data[kind] for one in self.all if kind in one.get("data", {})]


def code(heading):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return section.partition("```python\n")[2].partition("```")[0]


def declare(url):
    return f"postgres_url = {url!r}\n{code('Declare the models')}"


def test_the_documents_example_runs_in_cells_with_bars_and_tables(run, source):
    export = code("Say what you want, and run")
    outputs = run(
        PREPARE,
        declare(source.url),
        export,
        "import_jobs",
        # Cells that are run again, with bars that threads show.
        declare(source.url),
        export.replace('"slices/dev-qa-org-1"', '"slices/dev-qa-org-1", overwrite=True').replace(
            "source=", "workers=2, source="
        ),
        'loaded = DataSlicer.run(DataSlicer.File("slices/dev-qa-org-1"), DataSlicer.Orm(), name="dev")\nloaded',
        'rows = DataSlicer.run(DataSlicer.Orm(), DataSlicer.File("again"), [ImportJob(model=Tenant)])\nrows.rows',
        "DataSlicer.estimate(DataSlicer.Orm(), [ImportJob(model=Tenant)])",
        "DataSlicer.plan(Tenant.objects.filter(pk=1))",
        "ImportJob(model=Customer, query=customers, limit=100)",
        'DataSlicer.Orm().unload("dev")[0].rows',
    )
    _, _, exported, shown, _, again, loaded, rows, estimate, plan, job, unloaded = outputs
    for bars in (exported, again, loaded):
        assert len(bars.data("application/vnd.jupyter.widget-view+json")) == 6
        assert bars.text == ""
    assert '<td style="text-align:right">100</td>' in shown.data("text/html")[0]
    assert "shop.OrderItem" in loaded.data("text/html")[0]
    assert rows.data("text/plain")[-1] == "1"
    assert "nothing was exported" in estimate.data("text/html")[0]
    assert "those of a query" in plan.data("text/html")[0]
    assert "QuerySet" not in plan.data("text/plain")[0]
    assert job.data("text/html") == ["<code>ImportJob(shop.Customer, filtered, limit=100)</code>"]
    assert int(unloaded.data("text/plain")[0]) > 0


def test_defect_14_without_ipywidgets_bars_are_text_and_it_is_said_once_how_to_get_others(
    run, source, tmp_path, monkeypatch
):
    # It is found, and cannot be imported: as when it is not there, or is broken.
    (tmp_path / "broken" / "ipywidgets").mkdir(parents=True)
    (tmp_path / "broken" / "ipywidgets" / "__init__.py").write_text('raise ImportError("broken")')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    _, exported, loaded = run(
        f"{PREPARE}\n{declare(source.url)}",
        code("Say what you want, and run"),
        'DataSlicer.run(DataSlicer.File("slices/dev-qa-org-1"), DataSlicer.Orm(), name="dev");',
    )
    assert exported.text.count("isekai: bars of a notebook need ipywidgets: pip install ipywidgets") == 1
    assert re.search(r"shop\.OrderItem: 100%.* 3\.00k/3\.00k", exported.text)
    assert "ipywidgets" not in loaded.text
    assert re.search(r"shop\.OrderItem: 100%.* 3\.00k/3\.00k", loaded.text)
    assert sys.modules.get("ipywidgets") is None
