"""The repository as data, for the tests in `project/`: its folders, its lists, its files."""

import ast
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "isekai_core"
PLUGINS = sorted(folder for folder in (ROOT / "plugins").iterdir() if (folder / "pyproject.toml").exists())


def read_toml(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


TOOLS = read_toml(ROOT / "pyproject.toml")["tool"]
# Distribution folder to its package: plugins/isekai-http to plugins/isekai-http/isekai_http.
PACKAGES = {ROOT: CORE, **{folder: folder / folder.name.replace("-", "_") for folder in PLUGINS}}


def modules(folder):
    """The Python files below a folder, without what a run leaves there and without migrations."""
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not {"migrations", "__pycache__", "build", "work"} & set(path.relative_to(folder).parts)
    )


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(paths):
    """Ids of parametrized tests: the path below the root."""
    return [str(path.relative_to(ROOT)) for path in paths]


def tracked_files(*suffixes):
    """Files that are in the repository or are about to be: what git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]
