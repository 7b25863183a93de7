"""A plugin goes, and the pipeline that needs it says what is missing and what to type."""

import pytest

PIPELINES = """
[pipelines.pages]
seeders = [{ use = "csv", path = "categories.csv", type = "file" }]
extractors = [{ use = "file", root = "." }]
transformers = [{ use = "html-fields", model = "shop.Category", fields = { name = "h1" } }]

[pipelines.in-full]
extractors = [{ use = "file", root = "." }]
transformers = [{ use = "isekai-html/html-fields", model = "shop.Category", fields = { name = "h1" } }]
"""


@pytest.fixture
def with_html(new_environment, wheels):
    return new_environment(wheels["isekai-core"], wheels["isekai-html"])


def test_a_pipeline_whose_plugin_is_uninstalled_says_what_is_missing_and_what_to_install(with_html, project):
    project.write("isekai.toml", PIPELINES)
    before = with_html.isekai("pipelines", "check", cwd=project.folder)
    assert (before.status, before.err) == (0, ""), before.out

    with_html.uninstall("isekai-html")
    for pipeline, name in {"pages": "html-fields", "in-full": "isekai-html/html-fields"}.items():
        run = with_html.isekai("run", pipeline, cwd=project.folder)
        assert (run.status, run.out) == (2, "")
        assert f"there is no transformer '{name}'; it comes with isekai-html: pip install isekai-html" in run.err
    assert (project.count("isekai_resource"), project.count("isekai_run")) == (0, 0)

    check = with_html.isekai("pipelines", "check", cwd=project.folder)
    assert check.status == 2
    assert check.out.count("it comes with isekai-html: pip install isekai-html") == 2
    assert "pipelines.pages.transformers[0]" in check.out
    assert with_html.isekai("run", "unrelated", "--quiet", cwd=project.folder).status == 0


def test_what_is_installed_again_goes_on_as_if_nothing_had_been(with_html, wheels, project):
    project.write("isekai.toml", PIPELINES)
    with_html.uninstall("isekai-html")
    with_html.install(wheels["isekai-html"], deps=False)
    again = with_html.isekai("pipelines", "check", cwd=project.folder)
    assert (again.status, again.err) == (0, ""), again.out


def test_the_plugins_own_page_says_what_to_install(shared, empty):
    done = shared.isekai("plugins", "show", "isekai-html", cwd=empty)
    assert done.status == 2
    assert done.err == "isekai: isekai-html is not installed; pip install isekai-html\n"
