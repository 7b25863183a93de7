"""Bad input over real HTTP: a clear error on the one resource, with its reason, and everything else goes on."""

import gzip
import io

import pytest
from django.db import connection
from isekai_html.transform import FieldsTransformer
from PIL import Image
from testapp.models import Article, Author, Photo

from isekai_core import Key, ModelRef, Pipeline, ResourceRef, Seed, Spec, run, use
from isekai_core.models import Resource
from isekai_core.pipeline.definition import seeder, transformer
from isekai_core.testing import Response

pytestmark = pytest.mark.django_db(transaction=True)

ARTICLE = use(
    "html-fields",
    model="testapp.Article",
    fields={"slug": "main@id", "title": "h1", "body": "article@html", "section": "a.section@href | ref"},
    match=["slug"],
    pages="/*",
)


@pytest.fixture(autouse=True)
def quick(settings):
    settings.ISEKAI = {"RETRY_BACKOFF": 0.001, "RETRY_MAX_WAIT": 0.01, "RETRY_ATTEMPTS": 3}


class Old:
    """An old site, and the pipeline that brings it."""

    def __init__(self, site):
        self.site = site
        self.paths = []
        self.first = []
        self.seeders = []
        self.loaders = ["models"]
        self.http = {}
        self.page("/ok", "<h1>Fine</h1>")

    def page(self, path, html="", *, listed=True, main=None, **response):
        slug = main or path.strip("/").replace("/", "-")
        self.answer(path, Response(f'<main id="{slug}">{html}</main>', **response), listed=listed)

    def answer(self, path, response, *, listed=True):
        self.site.pages[path] = response
        if listed:
            self.paths.append(path)

    def run(self, **options):
        entries = "".join(f"<url><loc>{self.site.url(path)}</loc></url>" for path in self.paths)
        self.site.pages["/sitemap.xml"] = Response(f"<urlset>{entries}</urlset>", content_type="application/xml")
        author = Author.objects.get_or_create(slug="editor", name="Editor")[0]

        @transformer(accepts="text/html", version="1")
        def with_author(page):
            # Behind the site's own transformers: the field that no page of it has.
            spec = OWN.transform(page)
            if spec is not None:
                spec.values["author"] = author.pk
            return spec

        return run(
            Pipeline(
                "old",
                seeders=[use("sitemap", url=self.site.url("/sitemap.xml")), *self.seeders],
                extractors=[use("http", concurrency=4, **self.http)],
                miners=["html-images", "html-pages"],
                transformers=[*self.first, with_author, use("image", model="testapp.Photo", alt="alt", width="width")],
                loaders=self.loaders,
            ),
            **options,
        )

    def row(self, path):
        return Resource.objects.get(key_hash=Key("url", self.site.url(path)).digest)


def _own():

    return FieldsTransformer(**ARTICLE.options)


OWN = _own()


@pytest.fixture
def old(site, transactional_db):
    return Old(site)


def told(old, path, stage, reason, **others):
    """That the resource failed at that stage with that reason, and that the page beside it is there."""
    result = old.run()
    row = old.row(path)
    assert (row.state, row.error_stage) == (others.get("state", "failed"), stage), (row.stage, row.message)
    assert reason in row.message, row.message
    assert row.error_processor or stage == "load"
    assert Article.objects.filter(slug="ok", title="Fine").exists()
    assert (result.failed, result.blocked) == (others.get("failed", 1), others.get("blocked", 0))
    assert not result.is_complete
    return row


def png(size=(32, 16)):
    file = io.BytesIO()
    Image.effect_noise(size, 64).save(file, "PNG")
    return file.getvalue()


def test_nothing_bad_is_complete(old):
    old.page("/a", '<h1>A</h1><article><img src="/a.png" alt="an a"> <a href="/ok">ok</a></article>')
    old.answer("/a.png", Response(png(), content_type="image/png"), listed=False)
    assert old.run().is_complete
    assert Photo.objects.get().alt == "an a"
    assert f'src="{Photo.objects.get().file.url}"' in Article.objects.get(slug="a").body
    assert 'href="/articles/ok/"' in Article.objects.get(slug="a").body


def test_a_404_is_an_error_that_is_not_tried_again(old):
    old.answer("/gone", Response("not here", status=404))
    row = told(old, "/gone", "extract", "404")
    assert old.site.count("/gone") == 1
    assert row.error_processor == "isekai-http/http"


def test_a_500_that_never_heals_is_tried_again_and_then_an_error(old):
    old.answer("/broken", Response("oops", status=500))
    row = told(old, "/broken", "extract", "500")
    assert old.site.count("/broken") == 3
    assert row.message.endswith("(tried 3 times)")


def test_a_500_that_heals_is_no_error(old):
    old.answer("/flaky", [Response("oops", status=500), Response('<main id="flaky"><h1>Well</h1></main>')])
    assert old.run().is_complete
    assert Article.objects.get(slug="flaky").title == "Well"


@pytest.mark.parametrize("stall", ["at once", "in the body"])
def test_a_server_that_says_nothing_is_given_up(stall, old):
    old.http = {"timeout": 0.2}
    old.answer("/slow", Response("<h1>half</h1>" * 100, stall=stall))
    assert told(old, "/slow", "extract", "timeout").error_class == "TemporaryError"


@pytest.mark.parametrize("broken", ["at once", "in the body"])
def test_a_connection_that_breaks_is_an_error_after_as_many_tries(broken, old):
    old.answer("/cut", Response("<h1>half</h1>" * 100, broken=broken))
    assert told(old, "/cut", "extract", "(tried 3 times)").error_class == "TemporaryError"


def test_an_empty_body_says_so(old):
    old.answer("/empty", Response(""))
    assert told(old, "/empty", "extract", "empty").error_class == "ExtractError"


def test_an_image_of_no_bytes_blocks_nobody_whose_link_to_it_is_soft(old):
    old.page("/a", '<h1>A</h1><article><img src="/nothing.png"></article>')
    old.answer("/nothing.png", Response(b"", content_type="image/png"), listed=False)
    told(old, "/nothing.png", "extract", "empty")
    assert "/nothing.png" in Article.objects.get(slug="a").body


def test_a_truncated_image_is_told_by_the_transformer_and_not_stored(old):
    old.answer("/cut.png", Response(png((200, 200))[:-600], content_type="image/png"))
    row = told(old, "/cut.png", "transform", "")
    assert row.error_processor == "isekai-html/image"
    assert row.message
    assert Photo.objects.count() == 0


def test_a_page_that_calls_itself_an_image_is_told(old):
    old.answer("/not.png", Response("<html>Not found</html>", content_type="image/png"))
    assert told(old, "/not.png", "transform", "").error_processor == "isekai-html/image"


@pytest.mark.parametrize(
    "body", [b"\x00\x01\x02\xff" * 50, b"{'json': true}", b"<<<>>><main", b"\xff\xfe<\x00h\x001\x00", b"</html>" * 100]
)
def test_html_that_is_no_html_is_told_and_ends_nothing(body, old):
    old.answer("/no-html", Response(body))
    row = told(old, "/no-html", "transform", "anything on this page")
    assert row.error_processor.endswith("with_author")


def test_a_page_that_is_nested_10_000_deep_is_read(old):
    old.page("/deep", "<h1>Deep</h1><article>" + "<div>" * 10_000 + "x</article>")
    assert old.run().is_complete
    body = Article.objects.get(slug="deep").body
    assert "x</div>" in body
    assert body.count("<div>") == body.count("</div>") > 100


def spec_for(path, make):
    @transformer(accepts="text/html", version="1")
    def special(page):
        return make(page) if page.key.value.endswith(path) else None

    return special


def article(**values):
    return Spec(
        "testapp.Article", {"slug": "a", "title": "t", "author": ModelRef("testapp.Author", slug="editor")} | values
    )


@pytest.mark.parametrize(
    ("make", "stage", "reason"),
    [
        (lambda _: Spec("testapp.Artikel", {}), "transform", "there is no model 'testapp.Artikel' (did you mean"),
        (
            lambda _: Spec("testapp.Article", {"titel": "t"}),
            "transform",
            "has no field 'titel' to fill (did you mean 'title'?)",
        ),
        (lambda _: Spec("testapp.Article", {"slug": "a"}), "load", "testapp.Article needs 'title', 'author', which"),
        (lambda _: article(slug="x" * 300), "load", "field 'slug'"),
        (
            lambda _: article(title="nul \x00 here"),
            "load",
            "field 'title': holds a NUL character, which PostgreSQL refuses",
        ),
        (
            lambda _: article(author=ModelRef("testapp.Author", slug="nobody")),
            "load",
            "field 'author': there is no testapp.Author",
        ),
        (
            lambda _: article(data={"on": __import__("datetime").date(2026, 1, 31)}),
            "load",
            "field 'data': Object of type date",
        ),
        (lambda _: article(data=object()), "transform", "values.data: cannot keep a"),
        (lambda page: 1 / 0, "transform", "division by zero"),
    ],
)
def test_a_wrong_spec_is_told_with_what_there_is(make, stage, reason, old):
    old.page("/a", "<h1>A</h1>")
    old.first = [spec_for("/a", make)]
    assert told(old, "/a", stage, reason).target_pk == ""


def test_a_transformer_that_raises_keeps_its_traceback(old):
    old.page("/a", "<h1>A</h1>")
    old.first = [spec_for("/a", lambda page: page.metadata["nothing"])]
    row = told(old, "/a", "transform", "'nothing'")
    assert row.error_class == "KeyError"
    assert "in special" in row.traceback
    assert 'page.metadata["nothing"]' in row.traceback


def test_a_ref_to_what_failed_is_blocked_and_names_it(old):
    old.page("/a", "<h1>A</h1>")
    old.answer("/missing", Response("no", status=410), listed=False)
    target = old.site.url("/missing")
    old.first = [spec_for("/a", lambda _: article(hero=ResourceRef(Key("url", target))))]
    row = told(old, "/a", "load", f"needs url:{target}, which is not loaded", state="blocked", blocked=1)
    assert row.blocked_by.key == f"url:{target}"
    assert "410" in row.blocked_by.message


def test_a_unique_violation_is_the_later_ones_alone(old):
    for path in ("/a", "/b"):
        old.page(path, "<h1>X</h1>")
    old.first = [spec_for("/a", lambda _: article()), spec_for("/b", lambda _: article())]
    result = old.run()
    assert (result.failed, Article.objects.filter(slug="a").count()) == (1, 1)
    failed = Resource.objects.get(state="failed")
    assert (failed.error_stage, "slug" in failed.message) == ("load", True)


def test_an_address_of_5_000_characters_is_fetched_like_any_other(old):
    long = "/long/" + "x" * 5000
    old.page(long, "<h1>Long</h1>", main="long")
    assert old.run().is_complete
    assert Article.objects.get(slug="long").title == "Long"
    assert len(old.row(long).key) > 5000


def test_a_nul_in_a_page_is_told_by_the_field_with_the_same_words_on_every_database(old):
    old.answer("/nul", Response(b'<main id="nul"><h1>N\x00L</h1><article><p>a\x00b</p></article></main>'))
    row = told(old, "/nul", "load", "")
    assert row.message == "field 'title': holds a NUL character, which PostgreSQL refuses in text"


def test_bytes_that_are_not_of_the_declared_charset_are_read_as_what_they_are(old):
    old.answer("/latin", Response(b'<main id="latin"><h1>caf\xe9</h1></main>', content_type="text/html; charset=utf-8"))
    assert old.run().is_complete
    assert Article.objects.get(slug="latin").title == "café"


def test_a_page_that_two_seeders_give_is_one(old):
    @seeder(version="1")
    def again():
        for path in old.paths:
            yield Seed(Key("url", old.site.url(path).upper().replace("/OK", "/ok") + "#top"))

    old.seeders = [again]
    result = old.run()
    assert result.is_complete
    assert Resource.objects.count() == 1
    assert old.site.count("/ok") == 1


def test_a_seeder_that_raises_half_way_keeps_what_it_gave_and_the_run_says_so(old):
    old.page("/extra", "<h1>Extra</h1>", listed=False)

    @seeder(version="1")
    def breaking():
        yield Seed(Key("url", old.site.url("/extra")))
        msg = "the list ends in the middle"
        raise ValueError(msg)

    old.seeders = [breaking]
    result = old.run()
    assert {article.slug for article in Article.objects.all()} == {"ok", "extra"}
    assert (result.failed, result.is_complete) == (0, False)
    assert result.seed_errors[0]["message"] == "the list ends in the middle"


@pytest.mark.parametrize(
    "sitemap",
    [
        Response("nothing here", status=404),
        Response("<urlset><url><loc>no", content_type="application/xml"),
        Response(gzip.compress(b"<urlset></urlset>")[:-9], content_type="application/gzip"),
    ],
)
def test_a_sitemap_that_cannot_be_read_is_an_error_of_the_run(sitemap, old, site):
    site.pages["/other.xml"] = sitemap
    old.seeders = [use("sitemap", url=site.url("/other.xml"))]
    result = old.run()
    assert Article.objects.get().slug == "ok"
    assert not result.is_complete
    (error,) = result.seed_errors
    assert site.url("/other.xml") in error["message"]


def test_redirects_to_one_page_are_one_row_and_links_to_either_lead_there(old):
    old.page("/new", "<h1>New</h1>", listed=False)
    old.answer("/moved", Response.redirect("/new", 301))
    old.page("/a", '<h1>A</h1><article><a href="/moved">m</a> <a href="/new">n</a></article>')
    assert old.run().is_complete
    assert Article.objects.filter(slug="new").count() == 1
    assert Article.objects.get(slug="a").body.count("/articles/new/") == 2


def test_redirects_in_a_circle_are_told(old):
    old.answer("/x", Response.redirect("/y"))
    old.site.pages["/y"] = Response.redirect("/x")
    assert told(old, "/x", "extract", "circle").error_class == "ExtractError"


def test_s4_cookies_and_secrets_are_kept_nowhere(old):
    old.page("/a", "<h1>A</h1>", headers={"Set-Cookie": "session=geheim", "X-Api-Key": "geheim", "ETag": '"1"'})
    old.http = {"headers": {"Authorization": "Bearer geheim"}, "hosts": ["127.0.0.1"]}
    assert old.run().is_complete
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert "geheim" not in str(cursor.fetchall()), table


def test_s2_addresses_that_are_no_web_pages_become_no_resources(old):
    links = [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.c",
        "http://elsewhere.example/",
    ]
    old.page(
        "/a",
        "<h1>A</h1><article>" + "".join(f'<a href="{link}">x</a><img src="{link}">' for link in links) + "</article>",
    )
    assert old.run().is_complete
    assert {row.key for row in Resource.objects.all()} == {f"url:{old.site.url(path)}" for path in ("/ok", "/a")}


def test_a_second_run_fetches_nothing_and_a_refresh_does_only_what_changed_again(old):
    old.page("/a", "<h1>A</h1>")
    old.run()
    before = old.site.count()
    result = old.run()
    assert (result.changed, old.site.count()) == (0, before + 1)
    old.site.pages["/a"] = Response('<main id="a"><h1>Changed</h1></main>')
    pk = Article.objects.get(slug="a").pk
    result = old.run(refresh=True)
    assert (result.changed, Article.objects.get(pk=pk).title) == (1, "Changed")
    assert result.stages["extract"] == {"unchanged": 1, "done": 1}
