"""What is on disk, found by the standard library only: pages, images, and what every page shows and links to.

The other side of the account: nothing of ISEKAI is used here.
"""

import shutil
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin

PLACES = ("/usr/share/doc/python3/html", *(f"/usr/share/doc/python3.{minor}/html" for minor in range(20, 8, -1)))
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico"}


@dataclass
class Tree:
    """A folder of HTML. Paths are relative, with slashes."""

    root: Path
    pages: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, root: Path) -> "Tree":
        files = [file.relative_to(root).as_posix() for file in sorted(root.rglob("*")) if file.is_file()]
        pages = [path for path in files if path.endswith((".html", ".htm"))]
        return cls(root, pages, [path for path in files if Path(path).suffix.lower() in IMAGES])

    def read(self, path: str) -> "PageText":
        """A page as the standard library's parser sees it."""
        text = PageText()
        text.feed((self.root / path).read_text("utf-8"))
        text.close()
        return text


class PageText(HTMLParser):
    """The title of a page, the addresses in its body in their order, and the sources of its images."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.addresses: list[str] = []
        self.images: list[str] = []
        self._inside: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("title", "body"):
            self._inside.add(tag)
        if tag == "img" and given.get("src"):
            self.images.append(str(given["src"]))
        address = given.get("href") if tag == "a" else given.get("src") if tag == "img" else None
        if address and "body" in self._inside:
            self.addresses.append(address)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._inside.discard(tag)

    def handle_data(self, data: str) -> None:
        if "title" in self._inside and "body" not in self._inside:
            self.title += data


def find(given: Path | None) -> Path | None:
    """The documentation's folder: the one that was given, or where Debian puts it."""
    for place in [given] if given else [Path(place) for place in PLACES]:
        if place is not None and (place / "index.html").is_file():
            return place.resolve()
    return None


def copy_with_sitemap(tree: Tree, site: Path, base: str) -> None:
    """The tree below `site`, without links that lead nowhere, and a sitemap of its pages beside it."""
    shutil.copytree(tree.root, site, ignore_dangling_symlinks=True)
    entries = "\n".join(f"<url><loc>{escape(f'{base}/{quote(path)}')}</loc></url>" for path in tree.pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    (site / "sitemap.xml").write_text(f"{head}\n{entries}\n</urlset>\n")


def target(base: str, page: str, address: str) -> tuple[str, str]:
    """Where an address on a page leads: the path below `base` ("" when it leads elsewhere), and the fragment."""
    whole, mark = urldefrag(urljoin(f"{base}/{quote(page)}", address.strip()))
    return (unquote(whole.removeprefix(f"{base}/")) if whole.startswith(f"{base}/") else "", mark)
