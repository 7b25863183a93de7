"""Wheels written by hand: what a build makes in a second, in a millisecond, so that a test can have a distribution of
its own. An installer takes them as it takes all others."""

import base64
import hashlib
import textwrap
import zipfile


def write_wheel(folder, name, files, *, version="1.0", requires=(), extras=(), entry_points=None, group="isekai"):
    """A wheel in `folder`, of the distribution `name`.

    files: path in site-packages to text. entry_points: those of the group; without them, the distribution's name
    to the module `plugin` of its package. requires: as in METADATA, `pyarrow>=1; extra == "fast"`.
    """
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    points = {name: f"{package}.plugin"} if entry_points is None else entry_points
    contents = {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}
    contents |= {
        f"{info}/METADATA": _metadata(name, version, requires, extras),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(
            [f"[{group}]", *(f"{key} = {value}" for key, value in points.items()), ""]
        ),
    }
    contents[f"{info}/RECORD"] = "\n".join([*map(_recorded, contents.items()), f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in contents.items():
            archive.writestr(inside, text)
    return path


def _metadata(name, version, requires, extras):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Summary: only for a test"]
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join(lines) + "\n\nThe description, which tells nothing.\n"


def _recorded(item):
    path, text = item
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}"
