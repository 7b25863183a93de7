"""The transformer of pages: CSS selectors to the fields of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from isekai_core.errors import TransformError
from isekai_core.types import Key, ResourceView, Spec
from isekai_html.fields import Field, Scene, check_selector
from isekai_html.links import site_of
from isekai_html.match import Globs
from isekai_html.page import HTML_TYPES, Page, page_of
from isekai_html.specs import check_match, check_model


@dataclass
class FieldsTransformer:
    """Makes a row of a page: every field by a CSS selector and filters.

    model: `app_label.ModelName`.
    fields: field name to where its value stands: `"title": "h1"`, `"slug": "link[rel=canonical]@href | slug"`,
        `"body": "article@html"`. A field of which the page has nothing is left out.
    match: the fields that tell whether the row exists already.
    pages: glob patterns: only pages whose address fits one; a pattern that begins with `/` is compared with
        path and query, any other with the whole address. None for all.
    where: a CSS selector: only pages that have such an element.
    links: which links inside `@html` become the new addresses: `mined` for those that a miner of the
        pipeline found on the page, `site` for all that lead to the page's own host, `none`.
    """

    accepts: ClassVar[Sequence[str]] = HTML_TYPES
    version: ClassVar[str] = "1"

    model: str
    fields: dict[str, str]
    match: list[str] = field(default_factory=list)
    pages: str | list[str] | None = None
    where: str | None = None
    links: Literal["mined", "site", "none"] = "mined"
    _fields: tuple[Field, ...] = field(init=False, repr=False, compare=False)
    _pages: Globs | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_model(self.model)
        if not self.fields:
            msg = "fields: expected at least one field such as {'title': 'h1'}, got none"
            raise ValueError(msg)
        check_match(self.match, self.fields)
        if self.where is not None:
            check_selector(self.where, "where: ")
        if self.links not in _REWRITES:
            msg = f"links: expected one of {', '.join(_REWRITES)}, got {self.links!r}"
            raise ValueError(msg)
        self._fields = tuple(Field.parse(name, expression) for name, expression in self.fields.items())
        patterns = [self.pages] if isinstance(self.pages, str) else self.pages
        self._pages = None if patterns is None else Globs("pages", patterns)

    @property
    def produces(self) -> Sequence[str]:
        """The model of the rows."""
        return (self.model,)

    def transform(self, resource: ResourceView) -> Spec | None:
        """The row, or None for a page that is not among `pages` or has nothing for `where`.

        Raises `TransformError` for a value that cannot be read, and for a page that has nothing for any field,
        or for one in `match`.
        """
        if self._pages is not None and not self._pages(resource.key.value):
            return None
        if self.where is not None and page_of(resource).tree.css_first(self.where) is None:
            return None
        scene = Scene(resource, _REWRITES[self.links])
        values = {part.name: value for part in self._fields if (value := part.read(scene)) is not None}
        self._check(values)
        return Spec(self.model, values, self.match)

    def _check(self, values: Mapping[str, Any]) -> None:
        selected = [part.name for part in self._fields if part.selects]
        if selected and all(values.get(name) in (None, []) for name in selected):
            # A row of nothing but defaults would hide that this is another page, or none at all.
            msg = f"none of the fields finds anything on this page: {', '.join(selected)}"
            raise TransformError(msg)
        for name in self.match:
            if name not in values:
                msg = f"field {name!r} is in match, and {self.fields[name]!r} finds nothing on this page"
                raise TransformError(msg)


def _mined(resource: ResourceView, page: Page, key: Key) -> bool:  # noqa: ARG001 - the others need it
    return key in resource.mined or key == resource.key


def _site(resource: ResourceView, page: Page, key: Key) -> bool:
    return site_of(key.value) == page.site or key in resource.mined


def _none(resource: ResourceView, page: Page, key: Key) -> bool:  # noqa: ARG001 - the others need them
    return False


_REWRITES = {"mined": _mined, "site": _site, "none": _none}
