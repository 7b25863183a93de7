"""Compares the rows with what is on disk: every page, every image, every link."""

import hashlib
from collections import Counter
from html.parser import HTMLParser

import doctree
from docs.models import Image, Page

from isekai_core.models import Resource


class Accounts:
    """What became of every page and image of a tree that was served at `base`.

    kinds: outcome to the paths that had it.
    problems: what nothing explains.
    """

    def __init__(self, found: doctree.Tree, base: str) -> None:
        self.tree = found
        self.base = base
        self.kinds: dict[str, list[str]] = {}
        self.reasons: dict[str, str] = {}
        self.problems: list[str] = []
        self.links: Counter[str] = Counter()
        self.resources = {resource.key: resource for resource in Resource.objects.filter(pipeline="pydoc")}

    def take(self) -> None:
        self.rows = {row.path: row for row in Page.objects.defer("body")}
        self.files = {str(image.pk): image for image in Image.objects.all()}
        self.read = {path: self.tree.read(path) for path in self.tree.pages}
        self.shown = {
            doctree.target(self.base, path, source)[0] for path, page in self.read.items() for source in page.images
        }
        for path in self.tree.pages:
            self._page(path)
        for path in self.tree.images:
            self._image(path)
        self._rest()

    def lines(self) -> list[str]:
        """The account, as text."""
        said = [f"{len(paths):6} {kind}" for kind, paths in self.kinds.items()]
        said += [f"{count:6} {kind}" for kind, count in self.links.items()]
        return [*said, "", *(f"{path}: {reason}" for path, reason in sorted(self.reasons.items()))]

    def _page(self, path: str) -> None:
        resource = self.resources.get(self._key(path))
        if resource is None:
            self.problems.append(f"page {path} was never seen")
        elif resource.state != "done":
            self._failed("pages", path, resource)
        elif path not in self.rows:
            self.problems.append(f"page {path} is done, and there is no row with this path")
        else:
            self._note("pages in their model", path)
            self._content(path, Page.objects.get(path=path))

    def _content(self, path: str, row: Page) -> None:
        """The title as it was, and every address in the body as it should be now."""
        page = self.read[path]
        if " ".join(row.title.split()) != " ".join(page.title.split()):
            self.problems.append(f"page {path}: its title is {row.title!r}, expected {page.title!r}")
        now = _Addresses.of(row.body)
        if len(now) != len(page.addresses):
            self.problems.append(f"page {path}: {len(now)} addresses in the row, {len(page.addresses)} on disk")
            return
        for before, after in zip(page.addresses, now, strict=True):
            expected = self._new_address(path, before)
            self.links["links rewritten" if expected != before else "links left as they were"] += 1
            if after != expected:
                self.problems.append(f"page {path}: {before} became {after}, expected {expected}")
                return

    def _new_address(self, page: str, address: str) -> str:
        path, mark = doctree.target(self.base, page, address)
        resource = self.resources.get(self._key(path)) if path else None
        # A link to a place on the same page stays one.
        if resource is None or resource.state != "done" or address.startswith("#"):
            return address
        image = self.files.get(resource.target_pk) if resource.target_model == "docs.Image" else None
        new = image.file.url if image else f"/docs/{path}"
        return f"{new}#{mark}" if mark else str(new)

    def _image(self, path: str) -> None:
        resource = self.resources.get(self._key(path))
        if resource is None and path not in self.shown:
            self._note("images that no page shows", path)
        elif resource is None:
            self.problems.append(f"image {path} is on a page, and was never seen")
        elif resource.state != "done":
            self._failed("images", path, resource)
        elif (image := self.files.get(resource.target_pk)) is None:
            self.problems.append(f"image {path} is done, and there is no row of it")
        else:
            with image.file.open("rb") as stored:
                same = hashlib.sha256(stored.read()).digest() == hashlib.sha256(self._bytes(path)).digest()
            if same:
                self._note("images in their model, byte for byte", path)
            else:
                self.problems.append(f"image {path}: the bytes of its row differ")

    def _failed(self, what: str, path: str, resource: Resource) -> None:
        if resource.state in ("failed", "skipped") and resource.message:
            self._note(f"{what} {resource.state}, with a reason", path)
            self.reasons[path] = resource.message
        else:
            self.problems.append(f"{what}: {path} is {resource.state}: {resource.message or 'no reason given'}")

    def _rest(self) -> None:
        """What was found by links and is not on disk: it has to have failed, with a reason."""
        known = {self._key(path) for path in (*self.tree.pages, *self.tree.images)}
        for key, resource in self.resources.items():
            path = key.removeprefix(f"url:{self.base}/")
            if key not in known and not (self.tree.root / path).exists():
                self._failed("links to what is not on disk", path, resource)
            elif key not in known:
                self._note(f"other files, {resource.state}", path)
                self.reasons[path] = resource.message

    def _note(self, kind: str, path: str) -> None:
        self.kinds.setdefault(kind, []).append(path)

    def _key(self, path: str) -> str:
        return f"url:{self.base}/{path}"

    def _bytes(self, path: str) -> bytes:
        return (self.tree.root / path).read_bytes()


class _Addresses(HTMLParser):
    """The addresses of links and images in a piece of HTML, in their order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get({"a": "href", "img": "src"}.get(tag, ""))
        if address:
            self.found.append(address)

    @classmethod
    def of(cls, html: str) -> list[str]:
        parser = cls()
        parser.feed(html)
        parser.close()
        return parser.found
