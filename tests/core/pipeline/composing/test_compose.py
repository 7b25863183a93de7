"""Names and options become processors, and everything that can be wrong with a pipeline is found at once."""

import dataclasses

import pytest

from isekai_core import Pipeline, Spec, seeder, transformer, use
from isekai_core.errors import OptionError, PluginUnusable, ProcessorNotFound, SettingError
from isekai_core.pipeline.composing.compose import compose


@dataclasses.dataclass
class Upper:
    """A transformer of one's own."""

    model: str = "testapp.Tag"
    accepts = ("*",)

    def transform(self, resource):
        return Spec(self.model, {"name": resource.payload.text.upper()})


class Shapeless:
    def transform(self, resource):
        return None


def test_a_name_becomes_a_configured_processor_with_its_author():
    (loader,) = compose(Pipeline("blog", loaders=[use("models", save="each")]))["loader"]
    assert (loader.name, loader.plugin) == ("isekai-core/models", "isekai-core")
    assert loader.object.save == "each"
    assert loader.version


def test_an_object_of_ones_own_is_named_by_its_module():
    (own,) = compose(Pipeline("blog", transformers=[Upper()]))["transformer"]
    assert (own.name, own.plugin) == (f"{__name__}.Upper", "")


def test_an_unknown_name_is_refused():
    with pytest.raises(ProcessorNotFound, match=r"there is no seeder 'cvs'.*did you mean 'csv'"):
        compose(Pipeline("blog", seeders=["cvs"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sav": "each"}, r"pipelines\.blog\.loaders\[0\]\.sav"),
        ({"save": "some"}, r"pipelines\.blog\.loaders\[0\]\.save"),
        ({"overwrite": "yes"}, r"pipelines\.blog\.loaders\[0\]\.overwrite"),
    ],
)
def test_a_bad_option_is_refused_with_its_path(options, message):
    with pytest.raises(OptionError, match=message):
        compose(Pipeline("blog", loaders=[use("models", **options)]))


def test_a_processor_without_what_its_kind_declares_is_refused():
    wanted = r"pipelines\.blog\.transformers\[0\]: Shapeless is no transformer: it lacks accepts"
    with pytest.raises(OptionError, match=wanted):
        compose(Pipeline("blog", transformers=[Shapeless()]))


def test_a_wrong_setting_is_found_before_anything_is_done(settings):
    settings.ISEKAI = {"BATCHSIZE": 1}
    with pytest.raises(SettingError, match="BATCH_SIZE"):
        compose(Pipeline("blog"))


def fingerprint(*transformers):
    return compose(Pipeline("blog", transformers=transformers)).chains["transform"]


def test_the_fingerprint_of_a_function_is_its_source_or_its_version():
    @transformer
    def one(resource):
        return None

    same = one

    @transformer
    def other(resource):
        return Spec("testapp.Tag")

    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(other)

    def versioned(version, result):
        @transformer(version=version)
        def page(resource):
            return result

        return page

    assert fingerprint(versioned("1", None)) == fingerprint(versioned("1", 2))
    assert fingerprint(versioned("1", None)) != fingerprint(versioned("2", None))


def test_the_fingerprint_of_an_object_holds_its_options():
    assert fingerprint(Upper()) == fingerprint(Upper())
    assert fingerprint(Upper()) != fingerprint(Upper("testapp.Other"))


def test_the_order_of_a_chain_counts():
    @transformer(version="1")
    def first(resource):
        return None

    assert fingerprint(first, Upper()) != fingerprint(Upper(), first)


def test_options_count_for_the_fingerprint_of_a_registered_processor(tmp_path):
    def chain(**options):
        return compose(Pipeline("blog", loaders=[use("models", **options)])).chains["load"]

    assert chain() == chain()
    assert chain() != chain(overwrite=True)


def test_seeders_need_to_declare_nothing():
    @seeder
    def nothing():
        yield from ()

    (processor,) = compose(Pipeline("blog", seeders=[nothing]))["seeder"]
    assert list(processor.object.seed()) == []


HAS_AN_OPTION_CALLED_VERSION = '''
    from dataclasses import dataclass

    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_seeders(register):
        register("rows", "isekai_acme:Rows")

    @dataclass
    class Rows:
        """Gives nothing."""

        version: str = "updated_at"

        def seed(self):
            return []
'''


def test_an_option_called_version_does_not_hide_the_version_of_the_plugin(fake_distribution):
    rows = Pipeline("p", seeders=["isekai-acme/rows"])
    fake_distribution("isekai-acme", HAS_AN_OPTION_CALLED_VERSION, version="1.0")
    before = compose(rows)["seeder"][0].fingerprint
    fake_distribution("isekai-acme", HAS_AN_OPTION_CALLED_VERSION, version="2.0")
    assert compose(rows)["seeder"][0].fingerprint != before


def test_a_required_plugin_that_is_not_there_is_named_before_anything_else():
    with pytest.raises(
        PluginUnusable, match=r"pipelines\.p\.requires\[1\]: needs isekai-acme>=2, and isekai-acme is not"
    ):
        compose(Pipeline("p", requires=["isekai-core>=0.1", "isekai-acme>=2"], seeders=["nobody"]))


def test_with_strict_plugins_one_that_is_broken_and_not_used_stops_everything(fake_distribution, monkeypatch):
    fake_distribution("isekai-acme", "import not_installed_anywhere")
    assert compose(Pipeline("p"))
    monkeypatch.setenv("ISEKAI_PLUGINS_STRICT", "1")
    with pytest.raises(PluginUnusable, match="--strict-plugins: isekai-acme"):
        compose(Pipeline("p"))


ODD = """
    import sys

    from isekai_core import hookimpl

    @hookimpl
    def isekai_register_extractors(register):
        register("odd", "isekai_acme:Odd")

    class Odd:
        accepts = ("url",)

        def extract(self, resource):
            return None

        {more}
"""
PROPERTY = "@property\n        def accepts(self): raise ValueError('no')"
EXITS = "def __init__(self): sys.exit('no token given')"
EXITS_WHEN_ASKED = "@property\n        def accepts(self): sys.exit(0)"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("accepts = (5,)", "accepts of Odd of isekai-acme holds 5, expected texts"),
        ("accepts = 5", "accepts of Odd of isekai-acme is a list of patterns such as ('text/html',), got 5"),
        ("produces = ('text/html', None)", "produces of Odd of isekai-acme holds None, expected texts"),
        (PROPERTY, "accepts of Odd of isekai-acme raises ValueError: no"),
        (EXITS_WHEN_ASKED, "accepts of Odd of isekai-acme raises SystemExit: 0"),
        (EXITS, "isekai_acme.Odd raised SystemExit: no token given"),
        ("neutral_options = 5", "odd cannot be used: TypeError: "),
    ],
)
def test_what_a_plugin_declares_wrongly_is_refused_with_path_and_plugin(more, said, fake_distribution):
    fake_distribution("isekai-acme", ODD.replace("{more}", more))
    with pytest.raises(OptionError) as caught:
        compose(Pipeline("p", extractors=["odd"]))
    assert str(caught.value).startswith(f"pipelines.p.extractors[0]: {said}")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"accepts": 5}, "accepts of page is a list of patterns such as ('text/html',), got 5"),
        ({"accepts": [5]}, "accepts of page holds 5, expected texts"),
        ({"produces": [5]}, "produces of page holds 5, expected texts"),
    ],
)
def test_what_a_function_declares_wrongly_is_refused_with_its_path(declared, said):
    def page(resource):
        return None

    page.__qualname__ = "page"
    with pytest.raises(OptionError) as caught:
        compose(Pipeline("p", transformers=[transformer(**declared)(page)]))
    assert str(caught.value) == f"pipelines.p.transformers[0]: {said}"


class Waits:
    """Every method of it is a coroutine function, or a generator of them."""

    accepts = ("*",)

    async def extract(self, resource):
        yield resource

    async def handles(self, key):
        return True

    async def seed(self):
        yield None

    async def mine(self, resource):
        return []

    async def transform(self, resource):
        return None

    async def plan(self, items):
        pass

    async def write(self, items):
        pass


class Asks(Waits):
    async def extract(self, resource):
        return None


@pytest.mark.parametrize(
    ("kind", "own", "said"),
    [
        ("seeder", Waits, "seed() of Waits is asynchronous, and nobody awaits it: write def, not async def"),
        ("extractor", Waits, "extract() of Waits is asynchronous, and nobody awaits it: write return, not yield"),
        ("extractor", Asks, "handles() of Asks is asynchronous, and nobody awaits it: write def, not async def"),
        ("miner", Waits, "mine() of Waits is asynchronous, and nobody awaits it: write def, not async def"),
        ("transformer", Waits, "transform() of Waits is asynchronous, and nobody awaits it: write def, not async def"),
        ("loader", Waits, "plan() of Waits is asynchronous, and nobody awaits it: write def, not async def"),
    ],
)
def test_what_nobody_would_await_is_refused_with_its_path(kind, own, said):
    with pytest.raises(OptionError) as caught:
        compose(Pipeline("p", **{f"{kind}s": [own()]}))
    assert str(caught.value) == f"pipelines.p.{kind}s[0]: {said}"


@pytest.mark.parametrize("given", ["many", 2.5, True])
def test_a_concurrency_that_is_no_number_is_refused_with_its_path(given):
    class Many:
        accepts = ("url",)
        concurrency = given

        async def extract(self, resource):
            return None

    with pytest.raises(
        OptionError, match=r"p\.extractors\[0\]: concurrency of .*Many is how many at once, a number, got "
    ):
        compose(Pipeline("p", extractors=[Many()]))


def test_a_docstring_that_is_no_text_stops_nobody(fake_distribution):
    fake_distribution("isekai-acme", ODD.replace("{more}", "__doc__ = 5"))
    assert compose(Pipeline("p", extractors=["odd"]))["extractor"][0].name == "isekai-acme/odd"


def test_names_and_versions_are_never_longer_than_the_journal_keeps(fake_distribution):
    fake_distribution("isekai-acme", ODD.replace("{more}", ""), version="1.0+" + "v" * 80)
    (odd,) = compose(Pipeline("p", extractors=["odd"]))["extractor"]
    assert (len(odd.version), odd.version[:5]) == (60, "1.0+v")

    def versioned(version, name="page"):
        def page(resource):
            return None

        page.__qualname__ = name
        return compose(Pipeline("p", transformers=[transformer(version=version)(page)]))["transformer"][0]

    assert len(versioned("v" * 70).version) == 60
    assert versioned("v" * 70).version != versioned("v" * 71).version
    assert versioned("1\x00").version == "1\\x00"
    assert len(versioned("1", "p" * 300).name) == 255


def test_a_name_that_is_not_there_has_its_path():
    with pytest.raises(ProcessorNotFound, match=r"^pipelines\.blog\.seeders\[1\]: there is no seeder 'cvs'"):
        compose(Pipeline("blog", seeders=[use("csv", path="x.csv", type="row"), "cvs"]))


def test_what_is_no_requirement_is_refused_with_its_path():
    with pytest.raises(PluginUnusable, match=r"pipelines\.p\.requires\[1\]: expected a plugin's name and versions"):
        compose(Pipeline("p", requires=["isekai-core", "isekai-http garbage"]))
