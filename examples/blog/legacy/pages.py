"""The old site's HTML: four kinds of pages and a few of their own, linked in the three ways that links are written."""

import posixpath
from collections.abc import Iterable
from html import escape

from legacy.content import AUTHORS, DEAD_LINK, DOCUMENTS, HAS_DEAD_LINK, SECTIONS, UNDECLARED, Article, slugify

NAME = "The Quayside Gazette"
LOGO = "/images/logo.png"
OUTSIDE = "https://example.org/ferries"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
{charset}<title>{title} | {name}</title>
<link rel="canonical" href="{path}">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<a href="/"><img src="{logo}" alt="{name}" width="48" height="48"></a>
<nav>{nav}</nav>
</header>
<main id="{slug}">
{main}
</main>
<footer><p>© {name}. <a href="/about.html">About us</a> · <a href="/contact.html">Contact</a></p></footer>
</body>
</html>
"""


class Writer:
    """Writes pages for a site at `base` (`http://127.0.0.1:8765`), which some links spell out."""

    def __init__(self, base: str, articles: list[Article]) -> None:
        self.base = base
        self.articles = {article.slug: article for article in articles}
        self.nav = " ".join(f'<a href="{section_path(name)}">{name}</a>' for name in SECTIONS)

    def page(self, path: str, main: str, *, slug: str, title: str, charset: str = "utf-8") -> str:
        declared = f'<meta charset="{charset}">\n' if charset else ""
        shown = {"charset": declared, "title": escape(title), "name": NAME, "logo": LOGO, "nav": self.nav}
        return PAGE.format(path=path, slug=slug, main=main, **shown)

    def article(self, article: Article, charset: str) -> str:
        main = self._article(article)
        return self.page(article.path, main, slug=article.slug, title=article.title, charset=charset)

    def _article(self, article: Article) -> str:
        author = link(self.base + author_path(article.author), article.author, rel="author")
        section = link(".." + section_path(article.section), article.section, class_="section")
        tags = "".join(f"<li>{link(tag_path(tag), tag, rel='tag')}</li>" for tag in article.tags)
        return f"""<article>
<h1>{escape(article.title)}</h1>
<p class="byline">By {author} in {section},
<time datetime="{article.published}">{article.published:%d %B %Y}</time>,
<span class="minutes">{article.minutes}</span> minutes</p>
{_hero(article)}<div class="body">
{self.body(article)}
</div>
{_following(article)}<ul class="tags">{tags}</ul>
</article>"""

    def body(self, article: Article) -> str:
        """The text of an article with what it links to: what its row's `body` comes from."""
        blocks = [f"<p>{escape(text, quote=False)}</p>" for text in article.text]
        extras = [
            *(f"<p>{image(src, picture_alt(src, article))}</p>" for src in article.pictures),
            *(f"<p>{link(f'{self.base}/files/{name}', DOCUMENTS[name])}</p>" for name in article.documents),
            self._related(article),
        ]
        if article.slug == HAS_DEAD_LINK:
            extras.append(f"<p>The {link(DEAD_LINK, 'timetable')} is still on these pages.</p>")
        if article.slug == UNDECLARED:
            extras.append("<p>Her sign says “Regenschirme, réparations, paraplyer · 25 €” and it is true.</p>")
        return "\n".join([*blocks[:2], *extras, *blocks[2:]])

    def _related(self, article: Article) -> str:
        """Links written the three ways: relative, from the root, and in full."""
        near, far = (self.articles[slug] for slug in article.related)
        section = link(self.base + section_path(article.section), article.section)
        return (
            f"<p>See also {link(f'{near.slug}.html', near.title)}, {link(f'{far.path}#top', far.title)}, {section}.</p>"
        )

    def author(self, name: str, favourite: str | None) -> str:
        liked = self.articles[favourite] if favourite else None
        main = [
            f"<h1>{name}</h1>",
            image(portrait_path(name), f"Portrait of {name}", class_="portrait"),
            f'<div class="bio">{bio(name)}</div>',
            f"<p>{link(f'../..{liked.path}', liked.title, class_='favourite')}</p>" if liked else "",
            self._list(article for article in self.articles.values() if article.author == name),
        ]
        return self.page(author_path(name), "\n".join(main), slug=slugify(name), title=name)

    def section(self, name: str) -> str:
        intro, editor = SECTIONS[name]
        main = [
            f"<h1>{name}</h1>",
            f'<p class="intro">{intro}</p>',
            f"<p>Edited by {link(author_path(editor), editor, class_='editor')}</p>",
            self._list(a for a in self.articles.values() if a.section == name and a.in_sitemap),
        ]
        return self.page(section_path(name), "\n".join(main), slug=slugify(name), title=name)

    def tag(self, name: str) -> str:
        tagged = self._list(article for article in self.articles.values() if name in article.tags)
        return self.page(tag_path(name), f"<h1>{name}</h1>\n{tagged}", slug=name, title=name)

    def flat(self, path: str) -> str:
        """The pages that are of no kind: the start page, the archive, about, contact."""
        slug, title = FLAT[path]
        main = f'<h1>{title}</h1>\n<div class="text">{self.text(path)}</div>'
        return self.page(path, main, slug=slug, title=title)

    def text(self, path: str) -> str:
        """The text of such a page: what its row's `body` comes from."""
        return {
            "/": self._start,
            "/about.html": self._about,
            "/contact.html": self._contact,
            "/archive.html": self._archive,
        }[path]()

    def _start(self) -> str:
        newest = sorted(self.articles.values(), key=lambda article: article.published)[-5:]
        return f"<p>News from the water, and {link('archive.html', 'the first years')}.</p>{self._list(newest)}"

    def _archive(self) -> str:
        return f"<p>The first years.</p>{self._list(a for a in self.articles.values() if not a.in_sitemap)}"

    def _about(self) -> str:
        people = ", ".join(link(author_path(name), name) for name in AUTHORS)
        return f"<p>We are {people}. {link('contact.html', 'Write to us')}.</p>"

    def _contact(self) -> str:
        mail, ferries = link("mailto:editor@example.org", "By mail"), link(OUTSIDE, "ferry")
        return f"<p>{mail}, or come by {ferries}. {link('about.html#people', 'Who we are')}.</p>"

    def _list(self, articles: Iterable[Article]) -> str:
        return f"<ul>{''.join(f'<li>{link(article.path, article.title)}</li>' for article in articles)}</ul>"


FLAT = {
    "/": ("start", "Welcome"),
    "/about.html": ("about", "About us"),
    "/contact.html": ("contact", "Contact"),
    "/archive.html": ("archive", "Archive"),
}


def link(href: str, text: str, **attributes: str) -> str:
    return f'<a{_written(attributes)} href="{href}">{escape(text)}</a>'


def image(src: str, alt: str, **attributes: str) -> str:
    return f'<img{_written(attributes)} src="{src}" alt="{escape(alt)}">'


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {name.rstrip("_")}="{value}"' for name, value in attributes.items())


def _hero(article: Article) -> str:
    return f'<figure class="hero">{image(article.hero, hero_alt(article))}</figure>\n' if article.hero else ""


def _following(article: Article) -> str:
    if article.next_in_series is None:
        return ""
    following = link(f"{article.next_in_series}.html", "Next in this series", rel="next")
    return f'<p class="series">{following}</p>\n'


def author_path(name: str) -> str:
    return f"/authors/{slugify(name)}/"


def section_path(name: str) -> str:
    return f"/sections/{slugify(name)}/"


def tag_path(name: str) -> str:
    return f"/tags/{name}/"


def portrait_path(name: str) -> str:
    return f"/images/people/{slugify(name)}.jpg"


def hero_alt(article: Article) -> str:
    return f"A drawing for “{article.title}”"


def picture_alt(src: str, article: Article) -> str:
    """Every article describes a shared picture in its own words; the new site keeps those of the first."""
    return f"{posixpath.basename(src).partition('.')[0].replace('%20', ' ')}, as seen in {article.section.lower()}"


def bio(name: str) -> str:
    return f"<p>{name} writes about the {AUTHORS[name]} and answers letters.</p>"
