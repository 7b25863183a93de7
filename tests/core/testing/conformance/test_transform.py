"""The suite of transformers passes a sound one, and names what another one breaks."""

import datetime as dt
import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest

from isekai_core import BlobRef, Key, ModelRef, ResourceRef, Spec, Text, transformer
from isekai_core.errors import SkipResource, TransformError
from isekai_core.testing import TransformerConformance, make_resource

PAGE = make_resource("url:https://old.example.org/", text="# Tides\nhigh and low", media_type="text/markdown")


@dataclass
class Notes:
    """Makes a row of a note.

    model: which.
    """

    accepts: ClassVar = ("text/*",)

    model: str = "nobody.Note"

    @property
    def produces(self):
        return (self.model,)

    def transform(self, resource):
        title, *rest = resource.payload.text.split("\n")
        if not title.startswith("#"):
            return None
        if not rest:
            msg = "a note has a body, got none"
            raise TransformError(msg)
        values = {
            "title": title,
            "on": dt.date(2026, 1, 31),
            "price": Decimal("1.50"),
            "author": ModelRef("auth.User", username="ada"),
            "body": Text("see ", ResourceRef(Key("url", "https://old.example.org/b"), "url", soft=True, fallback="/b")),
            "file": BlobRef(name="a.md"),
            "pair": (1, 2),
        }
        return Spec(self.model, values, match=["title"])


def suite_of(processor=Notes, **given):
    return type("ASuite", (TransformerConformance,), {"processor": processor, "resources": [PAGE], **given})


def broken(transform):
    return type("Broken", (Notes,), {"__doc__": "Breaks one thing.", "transform": transform})


def spec(**values):
    return Spec("nobody.Note", values)


@transformer
def decorated(resource):
    return Spec("nobody.Note", {"title": resource.payload.text[:10]})


@pytest.mark.parametrize("processor", [Notes, Notes("nobody.Other"), decorated])
def test_sound_ones_pass(failures, processor):
    assert failures(suite_of(processor)) == {}


def test_a_media_type_that_is_not_accepted_fails(failures):
    found = failures(suite_of(resources=[PAGE, make_resource("row:1", record={"title": "# a"})]))
    assert "accepts is ('text/*',)" in found["test_it_accepts_the_resources"]


def test_none_for_everything_is_not_taken_for_sound(failure):
    name, message = failure(suite_of(broken(lambda self, resource: None)))
    assert name == "test_it_returns_a_spec"
    assert "it returned None for all of ASuite.resources" in message


def test_what_is_no_spec_is_named(failures):
    found = failures(suite_of(broken(lambda self, resource: {"title": "a"})))
    assert found["test_it_returns_a_spec"].endswith("a transformer returns a Spec or None, got {'title': 'a'}")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": object()}, "cannot keep a value of type object"),
        ({"next": ResourceRef("url:https://old.example.org/")}, "expected a Key"),
        ({"next": ResourceRef(Key("row", "a\udc80"))}, "lone surrogate"),
        ({"author": ModelRef("User", username="ada")}, "a ModelRef's model is written app_label.ModelName, got 'User'"),
    ],
)
def test_a_spec_that_cannot_be_kept_fails(failures, values, words):
    found = failures(suite_of(broken(lambda self, resource: spec(**values))))
    assert words in found["test_its_specs_can_be_kept"]


def test_a_model_that_is_not_in_produces_fails(failure):
    name, message = failure(suite_of(broken(lambda self, resource: Spec("nobody.Other", {"title": "a"}))))
    assert name == "test_it_returns_only_what_it_says_it_produces"
    assert "the model 'nobody.Other' is not in produces, which is ('nobody.Note',)" in message


def test_another_spec_each_time_fails(failure):
    number = itertools.count()
    name, message = failure(suite_of(broken(lambda self, resource: spec(title=next(number)))))
    assert name == "test_it_returns_the_same_twice"
    assert "asked twice, it returned" in message


@pytest.mark.parametrize("error", [TransformError, SkipResource])
def test_what_is_not_wanted_may_be_said_so(failures, error):
    def transform(self, resource):
        if "Tides" not in resource.payload.text:
            msg = "not wanted"
            raise error(msg)
        return spec(title="a")

    assert failures(suite_of(broken(transform))) == {}


def test_a_payload_that_makes_it_fall_over_is_named(failure):
    name, message = failure(suite_of(broken(lambda self, resource: spec(title=resource.payload.text.split()[0]))))
    assert name == "test_no_payload_makes_it_fall_over"
    assert "with no bytes at all as text/markdown: expected no error, TransformError or SkipResource" in message
    assert "got IndexError: list index out of range" in message


def test_a_record_with_other_values_makes_it_fall_over_too(failures):
    class Rows(Notes):
        """Makes a row of a row."""

        accepts = ("application/*",)

        def transform(self, resource):
            return spec(title=resource.payload.record["title"].strip())

    found = failures(suite_of(Rows, resources=[make_resource("row:1", record={"title": "a"})]))
    assert "with no columns as application/vnd.isekai.record+json" in found["test_no_payload_makes_it_fall_over"]
