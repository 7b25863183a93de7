"""What people write: names, lists of processors, decorated functions; mistakes are told where they are made."""

import pytest

from isekai_core import Key, Pipeline, Seed, Spec, extractor, miner, seeder, transformer, use
from isekai_core.pipeline.definition import FunctionProcessor, Use


def test_use_keeps_the_name_and_the_options():
    assert use("http", concurrency=16) == Use("http", {"concurrency": 16})


def test_an_option_may_be_called_name():
    assert use("table", name="shop").options == {"name": "shop"}


@pytest.mark.parametrize("name", ["blog", "import:42", "a", "2026.old_site-b", "x" * 100])
def test_names_of_pipelines(name):
    assert Pipeline(name).name == name


@pytest.mark.parametrize("name", ["", "Blog", "a b", "-a", "x" * 101, "é", None, 7])
def test_another_form_of_name_is_refused(name):
    with pytest.raises(ValueError, match="a pipeline's name is lower-case letters"):
        Pipeline(name)


def test_a_text_stands_for_a_processor_without_options():
    assert Pipeline("blog", extractors=["http"]).extractors == (Use("http"),)


def test_without_loaders_the_built_in_one_loads():
    assert Pipeline("blog").loaders == (Use("models"),)


@pytest.mark.parametrize("given", ["http", use("http"), 7, None])
def test_one_processor_without_a_list_is_refused_with_its_path(given):
    with pytest.raises(TypeError, match=r"pipelines\.blog\.extractors: expected a list of processors"):
        Pipeline("blog", extractors=given)


@pytest.mark.parametrize("given", [7, None, object(), FunctionProcessor, lambda resource: None])
def test_what_is_no_processor_is_refused_with_its_path(given):
    with pytest.raises(TypeError, match=r"pipelines\.blog\.transformers: .* is no transformer: expected"):
        Pipeline("blog", transformers=[given])


def test_a_plain_function_is_told_to_be_decorated():
    with pytest.raises(TypeError, match="a decorated function: put @transformer on it"):
        Pipeline("blog", transformers=[lambda resource: None])


def test_a_function_for_another_kind_is_refused():
    @seeder
    def seeds():
        yield Seed(Key("row", "1"))

    with pytest.raises(TypeError, match="is no transformer"):
        Pipeline("blog", transformers=[seeds])


@pytest.mark.parametrize("decorate", [seeder, miner, transformer])
def test_a_decorator_may_stand_without_parentheses(decorate):
    made = decorate(lambda *_: None)
    assert made.accepts == (() if decorate is seeder else ("*",))


def test_a_decorated_function_can_still_be_called():
    @transformer(accepts="text/html")
    def page(resource):
        return Spec("blog.Page", {"title": resource})

    assert page("a").values == {"title": "a"}
    assert page.transform("a").values == {"title": "a"}
    assert repr(page).startswith("<transformer ")


def test_what_a_function_accepts_may_be_one_pattern_or_several():
    assert extractor(accepts="url")(print).accepts == ("url",)
    assert miner(accepts=["text/html", "image/*"])(print).accepts == ("text/html", "image/*")


def test_a_pipeline_does_not_change():
    with pytest.raises(AttributeError):
        Pipeline("blog").name = "other"


@pytest.mark.parametrize("given", [{"isekai-html": ">=0.1"}, "isekai-html", 5, True])
def test_requirements_in_another_form_are_refused_with_their_path(given):
    with pytest.raises(TypeError) as caught:
        Pipeline("blog", requires=given)
    assert str(caught.value) == (
        f"pipelines.blog.requires: expected a list such as ['isekai-html>=0.1'], got {given!r}"
    )


def test_a_requirement_that_is_no_text_is_refused_with_its_place():
    with pytest.raises(TypeError, match=r"pipelines\.blog\.requires\[1\]: expected a list such as .*, got 5"):
        Pipeline("blog", requires=["isekai-html", 5])


@pytest.mark.parametrize("given", ["2", -1, 1.5, True, [2]])
def test_a_depth_that_is_no_number_of_miners_is_refused_with_its_path(given):
    with pytest.raises(ValueError, match=r"pipelines\.blog\.max_depth: expected a whole number of at least 0, got"):
        Pipeline("blog", max_depth=given)


def test_requirements_may_come_one_by_one():
    assert Pipeline("blog", requires=(name for name in ("a", "b"))).requires == ("a", "b")
