"""Runs the Python of a document inside its project: a process of its own, told what to do line by line in JSON.

    python example_worker.py [--notebook]

`{"import": [paths]}` imports these files and composes the pipelines in them, and those of an isekai.toml;
`{"examples": text}` runs what stands behind `>>>` and compares what it shows. Each is answered by one line:
what went wrong, or "".
"""

import argparse
import asyncio
import doctest
import importlib
import itertools
import json
import linecache
import os
import sys
import traceback
from pathlib import Path

from isekai_core import Pipeline
from isekai_core.cli.project import setup_django
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.composing.discover import survey

NAMES = {"__name__": "__main__"}
NUMBERS = itertools.count(1)


def import_files(paths):
    for path in map(Path, paths):
        if path.suffix == ".toml":
            compose_all()
            continue
        folder, module = split(path)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        for value in list(vars(importlib.import_module(module)).values()):
            if isinstance(value, Pipeline):
                compose(value)
    return ""


def compose_all():
    seen = survey()
    assert not seen.broken, "; ".join(map(str, seen.broken))
    for found in seen.found.values():
        compose(found.pipeline)


def split(path):
    """The folder to import from and the module's name: below a folder whose name is no name of a package."""
    parts = path.with_suffix("").parts
    first = max((number for number, part in enumerate(parts) if not part.isidentifier()), default=-1) + 1
    return Path.cwd().joinpath(*parts[:first]), ".".join(parts[first:])


def run_examples(text):
    name = f"block {next(NUMBERS)}"
    test = doctest.DocTestParser().get_doctest(text, NAMES, name, None, None)
    for number, example in enumerate(test.examples):
        # As a notebook does: what was typed has a source, also for the blocks after it.
        place = f"<doctest {name}[{number}]>"
        linecache.cache[place] = (len(example.source), None, example.source.splitlines(keepends=True), place)
    out = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False).run(test, out=out.append, clear_globs=False)
    NAMES.update(test.globs)
    return "".join(out)


def answer(told):
    try:
        return import_files(told["import"]) if "import" in told else run_examples(told["examples"])
    except BaseException:
        return traceback.format_exc()


async def answer_in_a_loop(told):
    """As a notebook does: a cell is run by an event loop."""
    return answer(told)


def main():
    notebook = "--notebook" in sys.argv
    with os.fdopen(os.dup(1), "w") as replies:
        # What the examples print is for doctest; what the set-up prints must not get among the answers.
        sys.stdout = sys.stderr
        sys.path[0] = str(Path.cwd())
        if Path("manage.py").exists():
            setup_django(argparse.Namespace(settings=None, pythonpath=None))
        for line in sys.stdin:
            told = json.loads(line)
            print(
                json.dumps(asyncio.run(answer_in_a_loop(told)) if notebook else answer(told)), file=replies, flush=True
            )


if __name__ == "__main__":
    main()
