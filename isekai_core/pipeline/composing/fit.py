"""Whether the stages of a pipeline can meet: what one gives must be something that the next one takes.

Only what processors declare is compared. Who declares nothing may give anything, so that nothing that
could work is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from isekai_core.types.protocols import may_meet

Processors = Mapping[str, Sequence[Any]]


def misfits(processors: Processors) -> Iterator[str]:
    """The pairs that cannot meet, a line each; `processors` is kind to those of a pipeline, in their order."""
    yield from _keys_nobody_brings(processors)
    yield from _media_nobody_gives(processors)
    yield from _models_nobody_writes(processors)
    yield from _keys_that_clash([seeder.object for seeder in processors["seeder"]])


def produces(processor: Any) -> tuple[str, ...]:
    """What a processor says that it gives; nothing said is nothing known."""
    return tuple(getattr(processor.object, "produces", ()))


def _keys_nobody_brings(processors: Processors) -> Iterator[str]:
    extractors = processors["extractor"]
    for giver in [*processors["seeder"], *processors["miner"]]:
        types = _key_types(giver)
        if not extractors or not types or _media_types(giver):
            continue  # What comes with its payload needs no extractor.
        for type_ in types:
            if not any(may_meet(type_, taken) for one in extractors for taken in one.object.accepts):
                yield (
                    f"{giver.kind} {giver.name} gives keys of type {type_!r}, and no extractor takes them:"
                    f" {_listed(extractors, 'takes')}"
                )


def _keys_that_clash(seeders: Sequence[Any]) -> Iterator[str]:
    """Seeders whose keys are those of an earlier one by accident, as far as they say so by `clashes`."""
    for index, seeder in enumerate(seeders):
        if clashes := getattr(seeder, "clashes", None):
            yield from clashes(seeders[:index])


def _media_nobody_gives(processors: Processors) -> Iterator[str]:
    givers = [*processors["seeder"], *processors["extractor"]]
    unreached = list(processors["miner"])
    # A miner that is reached may give payloads, too, which others read.
    while reached := [miner for miner in unreached if _reads(miner, givers)]:
        givers += reached
        unreached = [miner for miner in unreached if miner not in reached]
    who = _listed([giver for giver in givers if _media_types(giver)], "gives")
    for reader in [*unreached, *(one for one in processors["transformer"] if not _reads(one, givers))]:
        yield f"{reader.kind} {reader.name} reads {_words(reader.object.accepts)}, which nothing gives: {who}"


def _reads(reader: Any, givers: Sequence[Any]) -> bool:
    """Whether something may come that it reads; where nothing is known to come, anything may."""
    given = [media for giver in givers for media in _media_types(giver)]
    if not given or any(_may_give_anything(giver) for giver in givers):
        return True
    return any(may_meet(media, taken) for media in given for taken in reader.object.accepts)


def _models_nobody_writes(processors: Processors) -> Iterator[str]:
    loaders = processors["loader"]
    for giver in processors["transformer"]:
        for model in produces(giver):
            if loaders and not any(may_meet(model, taken) for one in loaders for taken in one.object.accepts):
                yield (f"transformer {giver.name} makes {model}, and no loader writes it: {_listed(loaders, 'writes')}")


def _may_give_anything(giver: Any) -> bool:
    """Of whom it is not known which media types come from it: what gives keys alone gives none."""
    return not produces(giver) if giver.kind != "extractor" else not _media_types(giver)


def _key_types(giver: Any) -> list[str]:
    return [name for name in produces(giver) if "/" not in name]


def _media_types(giver: Any) -> list[str]:
    return [name for name in produces(giver) if "/" in name or (giver.kind == "extractor" and name == "*")]


def _listed(processors: Sequence[Any], verb: str) -> str:
    def names(one: Any) -> Iterable[str]:
        return _media_types(one) if verb == "gives" else one.object.accepts

    return ", ".join(f"{one.name} {verb} {_words(names(one))}" for one in processors)


def _words(names: Iterable[str]) -> str:
    return " and ".join(names) or "nothing"
