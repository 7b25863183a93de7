"""Importers declare a model for slicing: its foreign keys that bind, and what becomes of its texts.

Declaring the same model again in a notebook's cell takes the place of the one before; two importers for one
model in modules are an error.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from isekai_core.conf import did_you_mean
from isekai_core.errors import PlanError
from isekai_core.slicing.allowed import check_declared
from isekai_core.slicing.given import named
from isekai_core.slicing.masks import as_mask

_importers: dict[str, type["Importer"]] = {}


class Importer:
    """The base of importers.

    model: the Django model.
    Columns: a class with an attribute for each column that says something: a foreign key names its target model,
        and its rows stay only with the rows they point to; any other column may hold a mask.

    >>> from isekai_core.testing.shop.models import Shop, Tenant
    >>> class ShopImporter(Importer):
    ...     model = Shop
    ...
    ...     class Columns:
    ...         tenant = Tenant
    >>> ShopImporter.label()
    'shop.Shop'

    A class without `model` is an abstract base: its `Columns` are inherited. `PlanError` tells what does not fit.
    """

    model: ClassVar[type[Model] | None] = None
    Columns: ClassVar[type] = type("Columns", (), {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _check_names(cls)
        if cls.model is None:
            return
        if not (isinstance(cls.model, type) and issubclass(cls.model, Model)) or cls.model._meta.abstract:
            msg = f"{cls.__qualname__}.model: expected a Django model that has a table, got {named(cls.model)}"
            raise PlanError(msg)
        for name, value in cls.columns().items():
            _check_column(cls, name, value)
        _register(cls)

    @classmethod
    def label(cls) -> str:
        """The label of its model, `shop.Customer`."""
        assert cls.model is not None, "an abstract importer has no label"
        return str(cls.model._meta.label)

    @classmethod
    def columns(cls) -> dict[str, Any]:
        """What `Columns` says, with what its bases say: field name to a model or a mask."""
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            own = vars(base).get("Columns")
            for part in reversed(own.__mro__) if own is not None else ():
                found |= {name: value for name, value in vars(part).items() if not name.startswith("__")}
        return found

    @classmethod
    def parents(cls) -> dict[str, type[Model]]:
        """The declared foreign keys: field name to the model it points to."""
        return {name: value for name, value in cls.columns().items() if isinstance(value, type)}

    @classmethod
    def masks(cls) -> dict[str, Any]:
        """Field name to mask."""
        return {name: value for name, value in cls.columns().items() if not isinstance(value, type)}


def importer_of(model: type[Model]) -> type[Importer] | None:
    """The importer of `model`, if one is declared."""
    return _importers.get(model._meta.label)


def importers() -> Iterator[type[Importer]]:
    """All importers, by the label of their model."""
    yield from (_importers[label] for label in sorted(_importers))


def _register(cls: type[Importer]) -> None:
    label = cls.label()
    other = _importers.get(label)
    if other is not None and not _is_same_place(cls, other):
        places = f"{other.__module__}.{other.__qualname__} and {cls.__module__}.{cls.__qualname__}"
        msg = f"there are two importers for {label}: {places}; keep one of them"
        raise PlanError(msg)
    _importers[label] = cls


def _is_same_place(cls: type[Importer], other: type[Importer]) -> bool:
    # A cell that is run again, and a module that is reloaded, declare the same name anew.
    return (cls.__module__, cls.__qualname__) == (other.__module__, other.__qualname__) or cls.__module__ == "__main__"


def _check_column(cls: type[Importer], name: str, value: Any) -> None:
    path = f"{cls.__qualname__}.Columns.{name}"
    assert cls.model is not None
    try:
        field: Any = cls.model._meta.get_field(name)
    except FieldDoesNotExist:
        known = [one.name for one in cls.model._meta.concrete_fields]
        hint = did_you_mean(name, known)
        msg = f"{path}: {cls.label()} has no field {name!r}{hint}; it has {', '.join(known)}"
        raise PlanError(msg) from None
    if not getattr(field, "concrete", False) or field.many_to_many:
        msg = f"{path}: {name!r} is no column of {cls.label()}; {_instead(field)}"
        raise PlanError(msg)
    if isinstance(value, type):
        _check_parent(path, cls.label(), field, value)
    elif field.is_relation:
        msg = (
            f"{path}: a foreign key names the model it points to, {field.related_model._meta.label}, got {named(value)}"
        )
        raise PlanError(msg)
    else:
        _check_mask(path, field, value)


def _check_names(cls: type[Importer]) -> None:
    """A class that is called otherwise than those which are read is a slip, and would be passed over."""
    for name, value in vars(cls).items():
        if isinstance(value, type) and name not in _NAMES:
            hint = did_you_mean(name, _NAMES)
            msg = f"{cls.__qualname__}: unknown name {name!r}{hint}; an importer has {' and '.join(_NAMES)}"
            raise PlanError(msg)


_NAMES = ("model", "Columns")


def _instead(field: Any) -> str:
    if field.many_to_many and not field.auto_created:
        return f"leave it out, and {how_to_declare(field.remote_field.through)}"
    return "leave it out"


def how_to_declare(model: type[Model]) -> str:
    """What to type for an importer of `model`: a table between two others is reached through its field."""
    owner: Any = model._meta.auto_created
    if not owner:
        return f"declare class {model.__name__}Importer(Importer) with model = {model.__name__}"
    field = next(one for one in owner._meta.local_many_to_many if one.remote_field.through is model)
    name = f"{owner.__name__}{field.name.title().replace('_', '')}Importer"
    return f"declare class {name}(Importer) with model = {owner.__name__}.{field.name}.through"


def _check_mask(path: str, field: Any, value: Any) -> None:
    try:
        check_declared(as_mask(value), field)
    except PlanError as error:
        msg = f"{path}: {error}"
        raise PlanError(msg) from None


def _check_parent(path: str, label: str, field: Any, value: type) -> None:
    if not issubclass(value, Model):
        msg = f"{path}: expected a model or a mask, got {named(value)}"
        raise PlanError(msg)
    if not field.is_relation:
        msg = f"{path}: {field.name!r} is no foreign key of {label}, but a {field.get_internal_type()}"
        raise PlanError(msg)
    target = field.related_model
    if target._meta.concrete_model is not value._meta.concrete_model:
        msg = f"{path}: {label}.{field.name} points to {target._meta.label}, not to {value._meta.label}"
        raise PlanError(msg)


def check_targets(models: Iterator[type[Model]] | list[type[Model]]) -> None:
    """Raise `PlanError` where an importer among those of `models` points to a model that has none."""
    for model in models:
        importer = importer_of(model)
        for name, target in importer.parents().items() if importer else ():
            if importer_of(target) is None:
                what = f"{importer.__qualname__}.Columns.{name}" if importer else name
                msg = f"{what}: there is no importer for {target._meta.label}: {how_to_declare(target)}"
                raise PlanError(msg)
