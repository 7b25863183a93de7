"""Runs the Python of a document inside its project: a process of its own, told what to do line by line in JSON.

    python example_worker.py [--notebook]

`{"import": [paths]}` imports these files and composes the pipelines in them; `{"examples": text}` runs what
stands behind `>>>` and compares what it shows. Each is answered by one line: what went wrong, or "".
"""

import asyncio
import contextlib
import doctest
import importlib
import io
import json
import os
import sys
import traceback
from pathlib import Path

NAMES = {"__name__": "__main__"}


def set_up():
    sys.path[0] = os.getcwd()
    if Path("manage.py").exists():
        import django
        from django.core.management import ManagementUtility

        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            exec(compile(Path("manage.py").read_text(), "manage.py", "exec"), {"__name__": "manage"})  # noqa: S102
            module = importlib.import_module("manage")
            sys.argv = ["manage.py", "version"]
            module.main() if hasattr(module, "main") else ManagementUtility(sys.argv)
        django.setup()


def import_files(paths):
    for path in paths:
        folder, module = split(Path(path))
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        check(importlib.import_module(module))
    return ""


def split(path):
    """The folder to import from and the module's name: below a folder whose name is no name of a package."""
    parts = path.with_suffix("").parts
    first = max((n for n, part in enumerate(parts) if not part.isidentifier()), default=-1) + 1
    return Path.cwd().joinpath(*parts[:first]), ".".join(parts[first:])


def check(module):
    from isekai_core import Pipeline
    from isekai_core.pipeline.compose import compose

    for value in list(vars(module).values()):
        if isinstance(value, Pipeline):
            compose(value)


def run_examples(text):
    test = doctest.DocTestParser().get_doctest(text, NAMES, "example", None, None)
    out = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(test, out=out.append, clear_globs=False)
    NAMES.update(test.globs)
    return "".join(out)


def answer(told):
    try:
        return import_files(told["import"]) if "import" in told else run_examples(told["examples"])
    except BaseException:
        return traceback.format_exc()


async def answer_in_loop(told):
    return answer(told)


def main():
    notebook = "--notebook" in sys.argv
    replies = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr
    set_up()
    for line in sys.stdin:
        told = json.loads(line)
        print(json.dumps(asyncio.run(answer_in_loop(told)) if notebook else answer(told)), file=replies, flush=True)


if __name__ == "__main__":
    main()
