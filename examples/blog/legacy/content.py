"""What the old site holds, before it is HTML: people, sections, tags, articles, and how they hang together.

The demo's check compares the new site's rows with these records, so they are the truth about the old site.
"""

import datetime as dt
import random
import re
import unicodedata
from dataclasses import dataclass

from legacy.prose import paragraphs

AUTHORS = {
    "Ada Byrne": "harbour",
    "Björn Lindqvist": "ships",
    "Chiara Conti": "table",
    "Dónal Mac Aodha": "town",
    "Eszter Varga": "people",
    "Farid Haddad": "weather",
    "Grace Okafor": "harbour",
}

SECTIONS = {
    "Harbour": ("The piers, the tides and what they bring", "Ada Byrne"),
    "Ships": ("Old hulls, new hulls and those who keep them afloat", "Björn Lindqvist"),
    "Table": ("What is cooked between the fish market and the hill", "Chiara Conti"),
    "Town": ("Streets, shops, meetings and the long argument about the clock", "Dónal Mac Aodha"),
    "People": ("Conversations with our neighbours", "Eszter Varga"),
}

TAGS = (
    "boats",
    "bridges",
    "fish",
    "fog",
    "history",
    "lighthouse",
    "market",
    "music",
    "repairs",
    "school",
    "storms",
    "tea",
)

# The eight articles of a section; the first four of each are a series that ends where it begins.
TITLES = {
    "Harbour": (
        "Four Mornings on the North Pier",
        "The Second Morning: Ropes",
        "The Third Morning: Gulls",
        "The Last Morning: Silence",
        "Who Paints the Bollards?",
        "A Short History of the Harbour Wall",
        "The Ferry That Never Came",
        "Low Tide, High Prices",
    ),
    "Ships": (
        "Building the Marigold, Part One",
        "Building the Marigold, Part Two",
        "Building the Marigold, Part Three",
        "Building the Marigold, the Launch",
        "What a Keel Remembers",
        "Rust & How to Love It",
        "The Tug With Two Names",
        "Sails by the Metre",
    ),
    "Table": (
        "Soup for Six: Onion",
        "Soup for Six: Nettle",
        "Soup for Six: Fish",
        "Soup for Six: Nothing at All",
        "Café am Kai Opens Again",
        "Bread Before Five",
        "The Great Herring Dispute",
        "Tea, and Where to Hide",
    ),
    "Town": (
        "The Clock Question, January",
        "The Clock Question, March",
        "The Clock Question, July",
        "The Clock Question, Still Open",
        "Bridge Closed Until Further Notice",
        "A Map of Every Bench",
        "School Orchestra Plays in the Fog",
        "Market Day <Without> the Market",
    ),
    "People": (
        "Neighbours: The Lighthouse Keeper",
        "Neighbours: The Clockmaker",
        "Neighbours: The Fishmonger",
        "Neighbours: The Ferryman's Daughter",
        "Hélène Repairs Umbrellas",
        "The Man Who Counts Waves",
        "Forty Years at Counter Three",
        "Letters We Could Not Print",
    ),
}

DOCUMENTS = {
    "tide-table-2009.csv": "Tide table 2009",
    "ferry-times.csv": "Ferry times",
    "bench-survey.csv": "Bench survey",
    "harbour-wall-plan.pdf": "Plan of the harbour wall",
    "marigold-lines.pdf": "Lines of the Marigold",
    "clock-committee-minutes.pdf": "Minutes of the clock committee",
    "onion-soup.pdf": "Onion soup, to print",
    "letters.txt": "Letters we could not print",
    "orchestra-programme.txt": "Programme of the school orchestra",
}

LATIN_1 = "cafe-am-kai-opens-again"
UNDECLARED = "helene-repairs-umbrellas"
HAS_DEAD_LINK = "the-ferry-that-never-came"
HAS_BROKEN_IMAGE = "rust-how-to-love-it"

DEAD_LINK = "/articles/lost-timetable.html"
BROKEN_IMAGE = "/images/rusty-anchor.png"


@dataclass
class Article:
    """An article of the old site. Links to others are slugs; images and documents are file names."""

    title: str
    slug: str
    section: str
    author: str
    tags: tuple[str, ...]
    published: dt.date
    minutes: int
    text: list[str]
    hero: str | None
    pictures: tuple[str, ...]
    documents: tuple[str, ...]
    related: tuple[str, ...] = ()
    next_in_series: str | None = None

    @property
    def path(self) -> str:
        return f"/articles/{self.slug}.html"

    @property
    def in_sitemap(self) -> bool:
        """The old sitemap was never complete: the first years are found by links only."""
        return self.published.year > 2007


def slugify(text: str) -> str:
    """The slugs that the old site's software made; the same as Django's."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())


def favourites() -> dict[str, str]:
    """Author to the slug of the article she likes best; written by another, except for Ada's."""
    picked = ("Bread Before Five", "Low Tide, High Prices", "What a Keel Remembers", "The Man Who Counts Waves")
    return {author: slugify(title) for author, title in zip(AUTHORS, picked, strict=False)}


def articles() -> list[Article]:
    """Every article, the same every time."""
    chance = random.Random("The Quayside Gazette")
    made = [
        _article(chance, section, title, section_no * 8 + place)
        for section_no, (section, titles) in enumerate(TITLES.items())
        for place, title in enumerate(titles)
    ]
    for number, article in enumerate(made):
        # Every article leads on to two others, so that the whole archive is one circle, and a series its own.
        article.related = (made[(number + 1) % len(made)].slug, made[(number + 7) % len(made)].slug)
        place = number % 8
        if place < 4:
            article.next_in_series = made[number - place + (place + 1) % 4].slug
    return made


def _article(chance: random.Random, section: str, title: str, number: int) -> Article:
    slug = slugify(title)
    return Article(
        title=title,
        slug=slug,
        section=section,
        author=chance.choice(list(AUTHORS)),
        tags=tuple(sorted(chance.sample(TAGS, chance.randint(1, 4)))),
        published=dt.date(2005, 1, 7) + dt.timedelta(days=37 * ((number * 17) % 40)),
        minutes=chance.randint(2, 12),
        text=paragraphs(chance, chance.randint(4, 9)),
        hero=_hero(slug, number),
        pictures=_pictures(slug, number),
        documents=_documents(number),
    )


def _hero(slug: str, number: int) -> str | None:
    """Three articles of four have a picture above the text, in four formats by turns."""
    if number % 4 == 3:
        return None
    return f"/images/{slug}.{('jpg', 'png', 'webp', 'gif')[number // 4 % 4]}"


def _pictures(slug: str, number: int) -> tuple[str, ...]:
    """Pictures in the text: some of the town's, which several articles share."""
    shared = ("/images/town/old%20mill.jpg", "/images/town/pier.png", "/images/town/fog-horn.gif")
    picked = (shared[number % 3],) if number % 5 == 0 else ()
    return (*picked, BROKEN_IMAGE) if slug == HAS_BROKEN_IMAGE else picked


def _documents(number: int) -> tuple[str, ...]:
    return (list(DOCUMENTS)[number // 4 % len(DOCUMENTS)],) if number % 4 == 1 else ()
