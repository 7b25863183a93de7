"""What processors say they take and give, `accepts` and `produces`: whether it is of a form that can ever fit."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

_KEY_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MODEL = re.compile(r"\w+\.(\w+|\w*\*)")

KEY_TYPES, MEDIA_TYPES, MODELS, EITHER = "key type", "media type", "model", "key type or media type"

_MEANS = {
    "accepts": {"extractor": KEY_TYPES, "miner": MEDIA_TYPES, "transformer": MEDIA_TYPES, "loader": MODELS},
    "produces": {"seeder": EITHER, "extractor": MEDIA_TYPES, "miner": EITHER, "transformer": MODELS},
}
"""Attribute and kind to what the names in it are. A miner may give a payload with its key, as a seeder may."""

_EXAMPLES = {KEY_TYPES: "'url'", MEDIA_TYPES: "'text/html'", MODELS: "'blog.Article'", EITHER: "'url'"}


def problems_of_patterns(kind: str, owner: object) -> Iterator[str]:
    """What is wrong with the `accepts` and `produces` of a class, or of an object: one line each.

    Of a class, what is only set on its instances is left alone.
    """
    for attribute, means in _MEANS.items():
        if kind in means:
            yield from _problems(owner, attribute, means[kind])


def _problems(owner: object, attribute: str, what: str) -> Iterator[str]:
    try:
        value = getattr(owner, attribute, None)
    except Exception as error:  # a property of somebody else's
        yield f"{attribute} raises {type(error).__name__}: {error}"
        return
    example = f"({_EXAMPLES[what]},)"
    if value is None:
        if attribute == "accepts" and not (isinstance(owner, type) and is_set_on_instances(owner, attribute)):
            yield f"it has no accepts: say which {what}s it takes, for example accepts = {example}"
    elif isinstance(value, str):
        yield f"{attribute} is the text {value!r}, expected several: write ({value!r},)"
    elif isinstance(value, Sequence):
        yield from _problems_of_names(attribute, value, what, example)
    elif not (isinstance(owner, type) and hasattr(type(value), "__get__")):
        yield f"{attribute} is {value!r}, expected a list or a tuple such as {example}"


def _problems_of_names(attribute: str, names: Sequence[Any], what: str, example: str) -> Iterator[str]:
    if not names and attribute == "accepts":
        yield f"accepts is empty, so that it is never asked: name the {what}s, for example {example}"
    for name in names:
        if not isinstance(name, str) or not name:
            yield f"{attribute} holds {name!r}, expected texts such as {example}"
        elif name != "*" and (problem := _problem_of_name(name, what)):
            yield f"{attribute} names {name!r}: {problem}"


def _problem_of_name(name: str, what: str) -> str:
    if what == MODELS:
        return "" if _MODEL.fullmatch(name) else "a model is written 'blog.Article', all of an app 'blog.*'"
    if what == MEDIA_TYPES or (what == EITHER and "/" in name):
        return problem_of_media_type(name)
    if _KEY_TYPE.fullmatch(name):
        return ""
    also = ", a media type is written 'text/html'" if what == EITHER else ""
    return f"a key type is a short lower-case word such as 'url'{also}"


def problem_of_media_type(name: str) -> str:
    """What is wrong with a media type; "" for nothing.

    >>> problem_of_media_type("text/html; charset=utf-8")
    'a media type holds no spaces and no parameters'
    """
    if re.search(r"[\s;]", name):
        return "a media type holds no spaces and no parameters"
    if name.count("/") != 1:
        return "a media type is written 'text/html', all of one sort 'text/*'"
    return "" if name == name.lower() else f"media types are in lower case: write {name.lower()!r}"


def is_set_on_instances(cls: type[Any], attribute: str) -> bool:
    """Whether the code that makes an instance names the attribute: only an instance can be asked then."""
    for base in cls.__mro__:
        for name in ("__new__", "__init__", "__post_init__"):
            code = getattr(inspect.unwrap(vars(base).get(name, str.strip)), "__code__", None)
            # As a constant: a frozen dataclass sets it by object.__setattr__(self, "accepts", …).
            if code is not None and attribute in (*code.co_names, *code.co_consts):
                return True
    return False
