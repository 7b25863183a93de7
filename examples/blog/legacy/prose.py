"""Sentences for the old site's articles: plausible, harmless and the same every time."""

import random

_WHO = (
    "the harbour master",
    "a neighbour",
    "my aunt",
    "the council",
    "an old sailor",
    "nobody I know",
    "the ferry crew",
    "Señora Núñez",
)
_DID = (
    "remembers",
    "has repaired",
    "once painted",
    "will not discuss",
    "sold",
    "still keeps",
    "measured",
    "wrote about",
)
_WHAT = (
    "the smaller crane",
    "a crate of lemons",
    "the north steps",
    "three blue doors",
    "that winter",
    "the fog horn",
    "a borrowed oar",
    "the naïve plan",
)
_WHEN = (
    "before breakfast",
    "in the year of the long frost",
    "since 1974",
    "every other Tuesday",
    "without being asked",
    "at low tide",
    "for £2 and a promise",
)
_ASIDE = (
    "It is not much, but it is ours.",
    "The records agree, which is rare.",
    "We asked twice and got two answers.",
    "Nothing was broken that was not broken before.",
    "Rain followed.",
    "“You should have seen the other boat”, they say.",
)


def sentence(chance: random.Random) -> str:
    """One sentence."""
    words = f"{chance.choice(_WHO)} {chance.choice(_DID)} {chance.choice(_WHAT)} {chance.choice(_WHEN)}."
    return words[0].upper() + words[1:]


def paragraphs(chance: random.Random, count: int) -> list[str]:
    """`count` paragraphs of plain text."""
    return [
        " ".join([*(sentence(chance) for _ in range(chance.randint(3, 6))), chance.choice(_ASIDE)])
        for _ in range(count)
    ]
