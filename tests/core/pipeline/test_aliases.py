"""Aliases: a resource whose source redirects stands for another; refs to either find the one row."""

from testapp.models import Author

from isekai_core import Extraction, Payload

from .conftest import author, key, resource, state, states


def test_a_redirect_makes_an_alias_and_what_refers_to_either_finds_the_one_row(world):
    from testapp.models import Article

    from isekai_core import ResourceRef, Spec

    world.add("old", None)
    world.pages["old"] = Extraction(Payload.from_text("the page"), final_key=key("new"))
    world.specs["new"] = author("new")
    for name in ("old", "new"):
        world.add(f"by-{name}", Spec("testapp.Article", {"slug": name, "title": "x", "author": ResourceRef(key(name))}))
    world.seeds = ["old", "by-old", "by-new"]
    result = world.run()
    assert result.is_complete, [state(name) for name in states()]
    assert state("old") == ("extracted", "skipped", "redirects to thing:new")
    assert resource("old").alias_of == resource("new")
    assert {article.author.slug for article in Article.objects.all()} == {"new"}
    assert "new" not in world.fetched


def test_redirects_of_redirects_are_followed_to_the_end(world):
    from testapp.models import Article

    from isekai_core import ResourceRef, Spec

    for name, to in (("a", "b"), ("b", "c")):
        world.add(name)
        world.pages[name] = Extraction(Payload.from_text("x"), final_key=key(to))
    world.add("c", author("c"))
    world.add("x", Spec("testapp.Article", {"slug": "x", "title": "x", "author": ResourceRef(key("a"))}))
    world.seeds = ["x", "b", "c", "a"]
    assert world.run().is_complete, states()
    assert Article.objects.get().author.slug == "c"


def test_redirects_in_a_circle_block_what_needs_them_and_nothing_else(world):
    from isekai_core import ResourceRef, Spec

    for name, to in (("a", "b"), ("b", "a")):
        world.add(name)
        world.pages[name] = Extraction(Payload.from_text("x"), final_key=key(to))
    world.add("x", Spec("testapp.Article", {"slug": "x", "title": "x", "author": ResourceRef(key("a"))}))
    world.add("ok", author("ok"))
    result = world.run()
    assert (result.failed, result.blocked) == (0, 1)
    assert Author.objects.get().slug == "ok"


def test_a_redirect_that_is_gone_later_makes_the_page_its_own_again(world):
    world.add("a", author("a"))
    world.pages["a"] = [Extraction(Payload.from_text("x"), final_key=key("b")), "page a"]
    world.specs["b"] = author("b")
    world.pages["b"] = "x"
    world.seeds = ["a"]
    world.run()
    assert set(Author.objects.values_list("slug", flat=True)) == {"b"}
    world.run(refresh=True)
    assert set(Author.objects.values_list("slug", flat=True)) == {"a", "b"}
    assert resource("a").alias_of is None
