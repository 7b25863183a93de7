"""The contract with plugins: one registration hook per kind of processor, and two for slices.

Hooks tell who is here; they do not carry data. Each is called once per process, one plugin at a time,
and what is registered is a class, or an import string that is imported at first use.
"""

from typing import Any, Protocol

import pluggy

PROJECT = "isekai"
"""pluggy's project name, and the entry-point group: `isekai` is hook API 1."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Register(Protocol):
    """What a registration hook is handed: `register(name, target)`, for the plugin that is being asked."""

    def __call__(self, name: str, target: type[Any] | str, *, replaces: str = "") -> None:
        """Register a processor.

        name: its short name, lower-case words with hyphens (`html-images`); in full `plugin/name`.
        target: the class, or `"package.module:Class"`, imported at first use.
        replaces: the full name of another plugin's processor of the same short name (`isekai-html/html-images`):
            the short name means this one then. Without it, two plugins with one short name are ambiguous.

        Raises `ValueError` for a name, a target or a `replaces` of another form, and for a name given twice.
        """
        ...


@hookspec
def isekai_register_seeders(register: Register) -> None:
    """Register seeders: what gives the keys to start from.

    Example::

        @hookimpl
        def isekai_register_seeders(register):
            register("sitemap", "isekai_http.seed:SitemapSeeder")
    """


@hookspec
def isekai_register_extractors(register: Register) -> None:
    """Register extractors: what brings the bytes of a key.

    Example::

        @hookimpl
        def isekai_register_extractors(register):
            register("http", "isekai_http.extract:HttpExtractor")
    """


@hookspec
def isekai_register_miners(register: Register) -> None:
    """Register miners: what finds further keys inside a payload.

    Example::

        @hookimpl
        def isekai_register_miners(register):
            register("html-images", "isekai_html.mine:ImageMiner")
    """


@hookspec
def isekai_register_transformers(register: Register) -> None:
    """Register transformers: what turns a payload into a spec.

    Example::

        @hookimpl
        def isekai_register_transformers(register):
            register("image", "isekai_html.image:ImageTransformer")
    """


@hookspec
def isekai_register_loaders(register: Register) -> None:
    """Register loaders: what writes rows.

    Example::

        @hookimpl
        def isekai_register_loaders(register):
            register("models", "isekai_core.builtins.load:ModelLoader")
    """


@hookspec
def isekai_register_slice_sources(register: Register) -> None:
    """Register slice sources: what the rows of a slice are read from.

    Example::

        @hookimpl
        def isekai_register_slice_sources(register):
            register("postgres", "isekai_postgres.slices:Postgres")
    """


@hookspec
def isekai_register_slice_targets(register: Register) -> None:
    """Register slice targets: what a slice is written to.

    Example::

        @hookimpl
        def isekai_register_slice_targets(register):
            register("file", "isekai_core.builtins.slice_file:File")
    """
