"""What the options of every transformer here have in common: the model, and the fields that tell rows apart."""

from collections.abc import Collection


def check_model(model: str) -> None:
    """`ValueError` for what is not written `app_label.ModelName`; whether there is such a model, core checks."""
    app_label, dot, name = model.partition(".")
    if not (dot and app_label.isidentifier() and name.isidentifier()):
        msg = f"model: expected app_label.ModelName, got {model!r}"
        raise ValueError(msg)


def check_match(match: Collection[str], fields: Collection[str]) -> None:
    """`ValueError` for a match field that gets no value."""
    for name in match:
        if name not in fields:
            msg = f"match: {name!r} gets no value; the fields that do are {', '.join(sorted(fields)) or 'none'}"
            raise ValueError(msg)
