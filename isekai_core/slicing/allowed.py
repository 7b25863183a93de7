"""Whether a column can have a mask: told when it is declared, as far as that goes, and else when a plan is made."""

from typing import Any

from isekai_core.errors import PlanError
from isekai_core.slicing.columns import base_field, is_unique_alone
from isekai_core.slicing.masks import Mask
from isekai_core.slicing.values import TEXTS


def is_text(field: Any) -> bool:
    """Whether any text can stand in a column: an IP address is kept as a text, and can hold none."""
    kind = field.get_internal_type()
    return kind in TEXTS and "IPAddress" not in kind


def check_declared(mask: Mask, field: Any) -> None:
    """Raise `PlanError` where the column of a model field cannot have this mask; nothing is loaded for it."""
    base = base_field(field)
    kind = base.get_internal_type()
    if mask.gives_null and not field.null:
        msg = f"the mask {mask} is for columns that may be NULL; use a constant or hashed"
        raise PlanError(msg)
    mask.check(kind)
    if is_unique_alone(base) and not is_text(base) and not mask.keeps_apart(kind):
        msg = f"{mask} cannot keep a unique {kind} unique; use a function of the value"
        raise PlanError(msg)


def check_planned(mask: Mask, field: Any) -> None:
    """The same, and whether what makes the mask is there, and makes what the column can hold."""
    check_declared(mask, field)
    mask.try_out(base_field(field).get_internal_type())
