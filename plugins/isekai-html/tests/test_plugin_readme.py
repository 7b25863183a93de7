"""The README: its examples run, and its tables have every option and every filter."""

import datetime as dt
import inspect
import re
from decimal import Decimal
from pathlib import Path

import pytest
from isekai_html.document import DocumentTransformer
from isekai_html.filters import FILTERS
from isekai_html.image import SUFFIXES, ImageTransformer
from isekai_html.mine import DocumentMiner, ImageMiner, PageMiner
from isekai_html.transform import FieldsTransformer

from isekai_core.testing.resources import make_resource
from isekai_core.types import Key, ResourceRef

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
NAMES = {"dt": dt, "Decimal": Decimal, "Key": Key, "ResourceRef": ResourceRef}
CELL = re.compile(r"(?<!\\)\|")


def rows(beginning):
    """The rows of the first table behind `beginning`, without the marks of code."""
    text = README.partition(beginning)[2]
    table = re.search(r"^\|.*?\n\|[-|]+\n(.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE).group(1)
    cells = ([cell.strip().replace("\\|", "|") for cell in CELL.split(row)[1:-1]] for row in table.splitlines())
    return [[cell[1:-1] if re.fullmatch("`[^`]*`", cell) else cell for cell in row] for row in cells]


HTML = re.search(r"<!-- the page of the examples -->\n```html\n(.*?)```", README, re.DOTALL).group(1)
ADDRESS, TITLE = re.search(r"^At the address `(.*?)`, found with the title `(.*?)`", README, re.MULTILINE).groups()
EXAMPLES = rows("<!-- the fields of the examples -->")


@pytest.mark.parametrize(("expression", "shown"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_an_example_gives_what_is_shown(expression, shown):
    resource = make_resource(f"url:{ADDRESS}", text=HTML, media_type="text/html", metadata={"title": TITLE})
    values = FieldsTransformer("blog.Article", {"field": expression, "all": "body"}).transform(resource).values
    expected = eval(shown, NAMES)  # the README's own text
    assert values.get("field") == expected
    assert type(values.get("field")) is type(expected)


def test_every_filter_is_described_and_most_have_an_example():
    described = [name for row in rows("each item, but for those") for name in re.findall(r"\w+", row[0].split(":")[0])]
    assert sorted(described) == sorted(FILTERS)
    used = {name.partition(":")[0].strip() for row in EXAMPLES for name in row[0].split(" | ")[1:]}
    assert len(used) > len(FILTERS) / 2


def options(cls):
    parameters = inspect.signature(cls).parameters.values()
    return {one.name: "required" if one.default is one.empty else one.default for one in parameters}


@pytest.mark.parametrize(
    ("heading", "cls"),
    [
        ("## `html-fields`", FieldsTransformer),
        ("## `image`", ImageTransformer),
        ("## `document`", DocumentTransformer),
    ],
)
def test_every_option_of_a_transformer_is_described_with_its_default(heading, cls):
    shown = {name: default for name, default, _ in rows(heading)}
    assert list(shown) == list(options(cls))
    for name, default in options(cls).items():
        factory = cls.__dataclass_fields__[name].default_factory
        value = default if default == "required" or not callable(factory) else factory()
        assert shown[name] == (value if value == "required" else repr(value))


def test_every_option_of_the_miners_is_described_with_its_default():
    common = [(name, default) for name, default, _ in rows("All three have these options")]
    own = rows("And each has its own")
    for name, cls in (("html-images", ImageMiner), ("html-documents", DocumentMiner), ("html-pages", PageMiner)):
        shown = dict(common + [(option, default) for miner, option, default, _ in own if miner == name])
        assert shown == {option: repr(default) for option, default in options(cls).items()}


def test_every_image_format_is_named():
    (shown,) = [what for name, _, what in rows("## `image`") if name == "format"]
    assert re.findall(r"`(\w+)`", shown) == list(SUFFIXES)
