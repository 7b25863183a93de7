"""`types/specs.py`: specs and the typed pointers inside."""

import pytest

from isekai_core.types import BlobRef, Key, ModelRef, ResourceRef, Spec, Text
from isekai_core.types.specs import walk_refs

ADA = Key("url", "https://old.example.org/ada")


@pytest.mark.parametrize("model", ["Article", "a.b.C", ""])
def test_a_model_is_written_with_its_app(model):
    with pytest.raises(ValueError, match=r"a spec's model is written app_label.ModelName, got "):
        Spec(model)


def test_match_names_fields_that_have_values():
    assert Spec("blog.Article", {"slug": "a"}, match=["slug"]).match == ("slug",)
    with pytest.raises(ValueError, match=r"match names 'slug', which the spec of blog.Article gives no value for"):
        Spec("blog.Article", {"title": "a"}, match=["slug"])


@pytest.mark.parametrize("name", ["slug", "s"])
def test_one_name_is_no_list_of_names_to_match(name):
    with pytest.raises(TypeError, match=rf"match is a list of field names such as \['{name}'\], got '{name}'"):
        Spec("blog.Article", {name: "a"}, match=name)


def test_the_values_are_the_specs_own():
    given = {"slug": "a"}
    spec = Spec("blog.Article", given)
    given["slug"] = "b"
    assert spec.values == {"slug": "a"}
    assert Spec("blog.Article").values == {}


def test_refs_are_found_at_any_depth_in_order():
    hard, soft = ResourceRef(ADA), ResourceRef(ADA, "url", soft=True)
    user, blob = ModelRef("auth.User", username="ada"), BlobRef()
    spec = Spec("blog.Article", {"author": hard, "data": {"a": [user, "text", (blob,)]}, "body": Text("<a>", soft)})
    assert list(spec.refs()) == [hard, user, blob, soft]


def test_text_and_numbers_hold_no_refs():
    assert list(walk_refs({"a": "url:https://old.example.org/", "b": [1, None, {"$": "ref"}]})) == []


def test_a_model_ref_needs_a_lookup():
    with pytest.raises(
        ValueError, match=r"a ModelRef needs a lookup such as ModelRef\('auth.User', slug='about'\), got none"
    ):
        ModelRef("auth.User")


def test_a_text_is_made_of_strings_and_soft_refs_only():
    link = ResourceRef(ADA, "url", soft=True, fallback="/ada")
    assert Text("a", link, "b").plain == "a/adab"
    assert Text("a", ResourceRef(ADA, soft=True)).plain == "a"
    for part in (ResourceRef(ADA), 3, None):
        with pytest.raises(TypeError, match="a Text is made of strings and soft refs, got "):
            Text("a", part)


def test_refs_are_equal_by_what_they_point_to():
    assert ResourceRef(ADA) == ResourceRef(Key.parse(str(ADA)))
    assert ModelRef("auth.User", pk=1) != ModelRef("auth.User", pk=2)
    assert BlobRef(name="a") == BlobRef(name="a")
