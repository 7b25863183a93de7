"""What `isekai plugins explain` says: every candidate for a key, who wins and why."""

from collections.abc import Sequence
from dataclasses import asdict

from isekai_core.cli.output import print_json, print_table
from isekai_core.cli.plugin_pages import why
from isekai_core.errors import ConfigurationError
from isekai_core.pipeline.composing.explain import Candidate, explain, explain_installed
from isekai_core.pipeline.reports.readable import printable
from isekai_core.plugins.quiet import off_standard_output
from isekai_core.plugins.registry import Registry
from isekai_core.plugins.report import SCHEMA
from isekai_core.types import Key
from isekai_core.types.keys import key_of

_WORDS = {
    "chosen": "does it",
    "asked": "is asked",
    "later": "is asked later",
    "not": "no",
    "depends": "depends",
    "broken": "cannot be used",
}


def print_explanation(found: Registry, text: str, pipeline: str | None, media_type: str, *, as_json: bool) -> None:
    """The candidates for the key that `text` means, with their verdicts, and who cannot be asked at all."""
    key = key_of(text)
    if key is None:
        msg = f"{text[:200]!r} is no key: expected type:value, such as url:https://old.example.org/"
        raise ConfigurationError(msg)
    if media_type and not pipeline:
        msg = "--media-type is about who reads a payload in a pipeline: name one with --pipeline"
        raise ConfigurationError(msg)
    with off_standard_output():
        if pipeline:
            candidates = _of_pipeline(pipeline, key, media_type)
        else:
            candidates = explain_installed(found.entries("extractor"), key)
    absent = [plugin for plugin in found.plugins if not plugin.state.usable]
    if as_json:
        rows = [asdict(candidate) for candidate in candidates]
        out = [{"plugin": p.name, "state": str(p.state), "reason": p.reason, "fix": p.fix} for p in absent]
        print_json({"schema": SCHEMA, "key": str(key), "pipeline": pipeline, "candidates": rows, "not_asked": out})
        return
    print(f"{key}{f' in the pipeline {pipeline}' if pipeline else ''}")
    _print(candidates)
    for plugin in absent:
        print(f"not asked: {plugin.name} ({plugin.state}): {why(plugin)}")


def _print(candidates: Sequence[Candidate]) -> None:
    rows = [(c.kind, c.name, c.version or "-", _WORDS[c.verdict], printable(c.why)) for c in candidates]
    print_table(("Kind", "Processor", "Version", "Verdict", "Why"), rows)


def _of_pipeline(name: str, key: Key, media_type: str) -> list[Candidate]:
    from isekai_core.models import Resource  # noqa: PLC0415 - needs a Django project
    from isekai_core.pipeline.composing.compose import compose  # noqa: PLC0415 - the same
    from isekai_core.pipeline.composing.discover import find  # noqa: PLC0415 - the same

    composed = compose(find(name))
    known = Resource.objects.filter(pipeline=name, key_hash=key.digest).select_related("payload").first()
    if known is not None and known.payload is not None:
        media_type = media_type or known.payload.media_type
    return explain(composed, key, media_type, known.target_model if known is not None else "")
