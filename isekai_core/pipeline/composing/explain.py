"""Who would work on a key, and why: every candidate in its order, with a verdict."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from isekai_core.errors import PluginUnusable
from isekai_core.pipeline.composing.compose import Composed, Processor
from isekai_core.pipeline.composing.fit import produces
from isekai_core.plugins.contain import contained, in_words
from isekai_core.plugins.entry import ProcessorEntry
from isekai_core.types import Key
from isekai_core.types.protocols import accepts_name, may_meet

CHOSEN, ASKED, LATER, NOT, UNKNOWN, BROKEN = "chosen", "asked", "later", "not", "depends", "broken"


@dataclass(frozen=True)
class Candidate:
    """A processor that was considered.

    verdict: `chosen` (it alone does it), `asked` (all of these are), `later` (only when those before it pass),
        `not`, `depends` (on a media type that is not known yet), or `broken` (it cannot be asked).
    """

    kind: str
    name: str
    plugin: str
    version: str
    verdict: str
    why: str


def explain(composed: Composed, key: Key, media_type: str = "", model: str = "") -> list[Candidate]:
    """The processors of a pipeline for `key`, in the order in which they are asked.

    media_type: of its payload; without one, what the chosen extractor says that it brings counts.
    model: of its spec, as far as it is known.
    """
    extractors = list(_extractors(composed["extractor"], key))
    winner = next((p for p, c in zip(composed["extractor"], extractors, strict=True) if c.verdict == CHOSEN), None)
    media = [media_type] if media_type else list(produces(winner)) if winner else []
    return [
        *extractors,
        *(_reader(processor, media, ASKED) for processor in composed["miner"]),
        *_in_turn(composed["transformer"], media),
        *_loaders(composed["loader"], model),
    ]


def _candidate(processor: Processor, verdict: str, why: str) -> Candidate:
    version = processor.version
    return Candidate(processor.kind, processor.name, processor.plugin, version, verdict, why)


def _extractors(processors: Sequence[Processor], key: Key) -> Iterator[Candidate]:
    winner = ""
    for processor in processors:
        taken, handles = processor.object.accepts, getattr(processor.object, "handles", None)
        if key.type not in taken and "*" not in taken:
            yield _candidate(processor, NOT, f"takes {_words(taken)}, not keys of type {key.type!r}")
        elif handles is not None and (verdict := _closer_look(processor, key)):
            yield verdict
        elif winner:
            yield _candidate(processor, NOT, f"would take it, and comes after {winner}")
        else:
            winner = processor.name
            yield _candidate(processor, CHOSEN, f"the first that takes keys of type {key.type!r}")


def _closer_look(processor: Processor, key: Key) -> Candidate | None:
    """Why its `handles` leaves the key to others; None when it takes it."""
    try:
        with contained(processor.kind):
            takes = processor.object.handles(key)
    except Exception as error:  # code of the plugin: the others are shown all the same
        return _candidate(processor, BROKEN, f"handles() raised {in_words(error)}")
    return None if takes else _candidate(processor, NOT, f"takes keys of type {key.type!r}, but not this one")


def _reader(processor: Processor, media: Sequence[str], verdict: str) -> Candidate:
    taken = processor.object.accepts
    if not any(accepts_name(taken, one) for one in media):
        if not media or any(may_meet(one, pattern) for one in media for pattern in taken):
            return _candidate(processor, UNKNOWN, f"reads {_words(taken)}: it depends on what is brought")
        return _candidate(processor, NOT, f"reads {_words(taken)}, not {_words(media)}")
    return _candidate(processor, verdict, f"reads {_words(media)}")


def _in_turn(processors: Sequence[Processor], media: Sequence[str]) -> Iterator[Candidate]:
    first = True
    for processor in processors:
        candidate = _reader(processor, media, ASKED if first else LATER)
        if candidate.verdict in (ASKED, LATER):
            order = "asked first; its spec is taken" if first else "asked when those before it give no spec"
            candidate = _candidate(processor, candidate.verdict, f"{candidate.why}: {order}")
            first = False
        yield candidate


def _loaders(processors: Sequence[Processor], model: str) -> Iterator[Candidate]:
    winner = ""
    for processor in processors:
        taken = processor.object.accepts
        if not model and tuple(taken) != ("*",):
            yield _candidate(processor, UNKNOWN, f"writes {_words(taken)}: it depends on the spec's model")
        elif model and not processor.accepts(model):
            yield _candidate(processor, NOT, f"writes {_words(taken)}, not {model}")
        elif winner:
            yield _candidate(processor, NOT, f"would write it, and comes after {winner}")
        else:
            winner = processor.name
            yield _candidate(processor, CHOSEN, f"the first that writes {model or 'every model'}")


def explain_installed(entries: Iterable[ProcessorEntry], key: Key) -> list[Candidate]:
    """The installed extractors for `key`, without a pipeline: what their classes say.

    entries: of the registry.
    """
    found = []
    for entry in entries:
        try:
            with contained(entry.kind):
                verdict, why = _of_class(getattr(entry.load(), "accepts", ()), key)
        except PluginUnusable as error:
            verdict, why = BROKEN, str(error).partition(" cannot be used: ")[2] or str(error)
        except Exception as error:  # of the plugin: the others are shown all the same
            verdict, why = BROKEN, f"asking its class raised {in_words(error)}"
        found.append(Candidate(entry.kind, entry.full_name, entry.plugin, entry.version, verdict, why))
    return found


def _of_class(taken: object, key: Key) -> tuple[str, str]:
    if isinstance(taken, str) or (taken is None):
        return BROKEN, f"accepts is {taken!r}, expected several texts such as ('url',)"
    if not isinstance(taken, Sequence):
        return UNKNOWN, "what it takes depends on its options"
    if odd := [one for one in taken if not isinstance(one, str)]:
        return BROKEN, f"accepts holds {odd[0]!r}, expected texts"
    return ASKED if key.type in taken or "*" in taken else NOT, f"takes {_words(taken)}"


def _words(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
