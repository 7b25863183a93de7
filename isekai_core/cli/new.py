"""`isekai plugins new`: a plugin of one's own, which installs and passes its tests, lint and types as it stands.

The templates are plain text in the folder `template`, one processor and one test for each kind, and the
rest for all kinds. They end in `.tmpl`, so that no tool takes them for modules of core.
"""

import importlib.util
import keyword
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from shlex import quote
from string import Template

import importlib_metadata

from isekai_core.conf import did_you_mean
from isekai_core.errors import ConfigurationError
from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.entry import in_words
from isekai_core.plugins.registry import registry
from isekai_core.plugins.scan import is_installed, normal_name
from isekai_core.types import KINDS, STAGES

STAGE_OF = dict(zip(KINDS, STAGES, strict=True)) | {"slice_source": "source", "slice_target": "target"}
"""Kind to the name of its module."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST = 40  # Lines of the templates hold a name more than once, and must not become too long for the linter.
_TEMPLATES = files("isekai_core.cli").joinpath("template")

_COMMON = {
    ".gitignore": "gitignore",
    "CHANGELOG.md": "CHANGELOG.md",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "$package/__init__.py": "init.py",
    "$package/plugin.py": "plugin.py",
    "$package/py.typed": "",
    "$package/$stage.py": "$stage.py",
    "tests/test_$stage.py": "test_$stage.py",
}
"""A file to its template, without the suffix."""

_OWN = {"seeder": {"tests/index.jsonl": "index.jsonl"}, "extractor": {"tests/export/1.json": "export.json"}}
"""What the tests of some kinds read."""

_USE = {
    "seeder": 'use("$short", path="index.jsonl")',
    "extractor": 'use("$short", folder="export")',
    "miner": '"$short"',
    "transformer": 'use("$short", model="blog.Article", fields={"title": "name"})',
    "loader": '"$short"',
}
"""How a pipeline names the processor, for the README."""

_PIPELINE = """from isekai_core import Pipeline, use

example = Pipeline(
    "example",
    ${kind}s=[$use],
)"""
_SLICE = {
    "slice_source": """from isekai_core.slicing import DataSlicer

DataSlicer.run(source=DataSlicer.$cls(), target=DataSlicer.File("slice"), jobs=[...])""",
    "slice_target": """from isekai_core.slicing import DataSlicer

DataSlicer.run(source=DataSlicer.File("slice"), target=DataSlicer.$cls())""",
}


def create(name: str, kind: str, folder: Path) -> list[Path]:
    """Write the plugin `name`, with one processor of `kind`, as the new folder `folder`; the files, in order.

    Raises `ConfigurationError`, and writes nothing, for a name that cannot be a plugin's or that something else
    has already, for another kind than there are, and for a folder that cannot be made or holds something.
    """
    words = _words(name, kind)
    try:
        _check_folder(folder)
        if taken := next(_taken(words, folder), None):
            msg = f"{words['name']}: {taken}; choose another name"
            raise ConfigurationError(msg)
        _write(folder, _filled(kind, words))
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror or error}"
        raise ConfigurationError(msg) from error
    return sorted(path for path in folder.rglob("*") if path.is_file())


def say(folder: Path, paths: list[Path]) -> None:
    """Print what was made, and the next commands to type."""
    print("\n".join(str(path) for path in paths))
    print(f"\nnext:\n  cd {quote(str(folder))} && pip install -e '.[test]' && pytest")


def _words(name: str, kind: str) -> dict[str, str]:
    """What the templates leave open."""
    if kind not in STAGE_OF:
        msg = f"--kind: expected one of {', '.join(STAGE_OF)}, got {kind!r}{did_you_mean(kind, STAGE_OF)}"
        raise ConfigurationError(msg)
    distribution = _distribution(name)
    short = distribution.removeprefix("isekai-")
    article = "An" if kind[0] in "aeiou" else "A"
    use = Template(_USE.get(kind, "")).substitute(short=short)
    example = Template(_SLICE.get(kind, _PIPELINE)).substitute(kind=kind, use=use, cls=camel(short))
    return {
        "name": distribution,
        "package": distribution.replace("-", "_"),
        "short": short,
        "cls": _class(short),
        "key": short[:32].rstrip("-"),
        "kind": kind,
        "Kind": camel(kind.replace("_", "-")),
        "a_kind": f"{article} {in_words(kind)}",
        "stage": STAGE_OF[kind],
        "requirement": _requirement(importlib_metadata.version(CORE)),
        "place": "In a slice" if kind in _SLICE else "In a pipeline",
        "example": example,
    }


def camel(short: str) -> str:
    """A name as classes are written.

    >>> camel("acme-shop")
    'AcmeShop'
    """
    return "".join(part.capitalize() for part in short.split("-"))


def _class(short: str) -> str:
    """The name of its class, without the kind; none that pytest would take for tests.

    >>> _class("acme-shop"), _class("testrail")
    ('AcmeShop', 'IsekaiTestrail')
    """
    name = camel(short)
    return f"Isekai{name}" if name.startswith("Test") else name


def _distribution(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = f"a plugin's name is letters, digits and hyphens, such as isekai-acme, got {name!r}"
        raise ConfigurationError(msg)
    distribution = normal_name(name)
    if len(distribution) > _LONGEST:
        msg = f"a plugin's name is at most {_LONGEST} characters long here, got {len(distribution)}: {distribution}"
        raise ConfigurationError(msg)
    package, short = distribution.replace("-", "_"), distribution.removeprefix("isekai-")
    if not (package[0].isalpha() and short[0].isalpha()):
        msg = f"a plugin's name begins with a letter, also behind isekai-, got {name!r}"
        raise ConfigurationError(msg)
    return distribution


def _requirement(version: str) -> str:
    """This version of core and those that are compatible with it: until 1.0, a new minor version may break.

    >>> _requirement("0.1.2")
    'isekai-core>=0.1.2,<0.2'
    """
    public = version.partition("+")[0]
    major, minor = (int(number) for number in re.findall(r"\d+", f"{public}.0")[:2])
    return f"{CORE}>={public},<{major}.{minor + 1}"


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        trouble = "not empty" if any(folder.iterdir()) else ""
    else:
        trouble = "no folder" if folder.exists() else ""
    if trouble:
        msg = f"{folder} is there already, and {trouble}; choose another with --folder"
        raise ConfigurationError(msg)


def _taken(words: dict[str, str], folder: Path) -> Iterator[str]:
    """Why the name cannot be had: whatever it would stand in the way of."""
    package, kind, short = words["package"], words["kind"], words["short"]
    if package in sys.stdlib_module_names or package == "tests" or keyword.iskeyword(package):
        yield f"its package {package} would hide a name that Python programs need"
    elif is_installed(words["name"]):
        yield "a distribution of that name is installed"
    elif found := _module(package, folder):
        yield f"its package {package} would hide {found}"
    for entry in registry().entries(kind):
        if entry.name == short:
            yield f"{entry.plugin} registers a {in_words(kind)} {short!r} already, and two of one name are ambiguous"


def _module(package: str, folder: Path) -> str:
    """Where there is a module of that name already, which is not the empty folder that was given."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if spec is None or (spec.origin is None and places == [str(folder.resolve())]):
        return ""
    return spec.origin or ", ".join(places)


def _filled(kind: str, words: dict[str, str]) -> dict[str, str]:
    """Each file, by its path below the folder, with its text."""
    named = {**_COMMON, **_OWN.get(kind, {})}
    filled = {Template(path).substitute(words): Template(source).substitute(words) for path, source in named.items()}
    return {path: _text(source, words) for path, source in filled.items()}


def _text(source: str, words: dict[str, str]) -> str:
    if not source:
        return ""
    return Template(_TEMPLATES.joinpath(f"{source}.tmpl").read_text(encoding="utf-8")).substitute(words)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """All or nothing: written aside, and then renamed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    is_there = folder.is_dir()
    aside = Path(tempfile.mkdtemp(prefix=".isekai-new-", dir=folder if is_there else folder.parent))
    try:
        made = aside / "made"
        for path, text in texts.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8", newline="\n")
        # A folder that is there stays the same one: somebody may be in it, or it may be a link.
        for source, target in [(one, folder / one.name) for one in made.iterdir()] if is_there else [(made, folder)]:
            source.rename(target)
    finally:
        shutil.rmtree(aside)
