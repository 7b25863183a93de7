"""What isekai-html brings: the miners and transformers that it registers with the core."""

from collections.abc import Callable

from isekai_core import hookimpl

Register = Callable[[str, str], None]


@hookimpl
def isekai_register_miners(register: Register) -> None:
    register("html-images", "isekai_html.mine:ImageMiner")
    register("html-documents", "isekai_html.mine:DocumentMiner")
    register("html-pages", "isekai_html.mine:PageMiner")


@hookimpl
def isekai_register_transformers(register: Register) -> None:
    register("html-fields", "isekai_html.transform:FieldsTransformer")
    register("image", "isekai_html.image:ImageTransformer")
    register("document", "isekai_html.document:DocumentTransformer")
