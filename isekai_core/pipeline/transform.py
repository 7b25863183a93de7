"""Transform: the first transformer that returns a spec says what the resource becomes."""

from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import router
from django.db.models import CompositePrimaryKey, Model

from isekai_core.conf import did_you_mean
from isekai_core.errors import SkipResource, TransformError
from isekai_core.models import Resource
from isekai_core.pipeline.composing.compose import Composed, Processor
from isekai_core.pipeline.given import check_key
from isekai_core.pipeline.journal import Journal
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.work import Work
from isekai_core.plugins.contain import as_error
from isekai_core.types import BlobRef, Key, ResourceRef, Spec


def transform(work: Work, composed: Composed, journal: Journal, tally: Tally) -> bool:
    """Ask the transformers in order; whether there is a spec now."""
    work.row.lead = work.lead
    for processor in composed["transformer"]:
        try:
            if not processor.accepts(work.view.media_type):
                continue
            with tally.cost(processor, resources=1):
                spec = processor.object.transform(work.view)
            if spec is None:
                continue
            _take(work, spec)
        except SkipResource as reason:
            work.row.transform_step_id = journal.step("transform", processor)
            work.skip("transform", reason)
            return False
        except BaseException as error:  # code of the plugin
            _failed(work, as_error(error, "transformer"), processor, journal)
            return False
        work.row.transform_step_id = journal.step("transform", processor)
        work.finish("transform")
        return True
    work.row.transform_step_id = journal.step("transform", None)
    work.skip("transform", f"no transformer returned a spec for it ({work.view.media_type})")
    return False


def _failed(work: Work, error: Exception, processor: Processor, journal: Journal) -> None:
    work.row.transform_step_id = journal.step("transform", processor)
    work.fail(error, "transform", processor.name)


def _take(work: Work, spec: Any) -> None:
    if not isinstance(spec, Spec):
        msg = f"a transformer returns a Spec or None, got {spec!r}"[:500]
        raise TransformError(msg)
    check_spec(spec)
    refs: dict[Key, bool] = {}
    try:
        for ref in spec.refs():
            if isinstance(ref, ResourceRef):
                check_key(ref.key)
                refs[ref.key] = refs.get(ref.key, False) or not ref.soft
            elif isinstance(ref, BlobRef) and ref.key not in (None, work.key):
                # What is needed of that one is its bytes, not its row: when they change, the file does.
                check_key(ref.key)
                refs.setdefault(ref.key, False)
        work.set_spec(spec)
    except (TypeError, ValueError) as error:
        raise TransformError(str(error)) from None
    work.refs = refs


def check_spec(spec: Spec) -> None:
    """`TransformError` when the spec names a model or a field that does not exist, with those that do."""
    model = find_model(spec.model)
    check_model(model)
    for name in spec.values:
        find_field(model, name)
    for name in spec.match:
        if find_field(model, name).many_to_many or isinstance(spec.values[name], BlobRef):
            msg = f"match names {name!r}, which cannot tell one row from another: it holds more than a plain value"
            raise TransformError(msg)


def check_model(model: type[Model]) -> None:
    """`TransformError` for a model whose rows cannot be written together with what the journal says of them."""
    here, there = router.db_for_write(Resource), router.db_for_write(model)
    if here != there:
        msg = (
            f"{model._meta.label} is in the database {there!r}, and the journal in {here!r}; a row and what is known of"
            f" it are written together: let a router bring isekai_core to {there!r}"
        )
        raise TransformError(msg)
    if isinstance(model._meta.pk, CompositePrimaryKey):
        msg = f"{model._meta.label} has a composite primary key, which cannot be loaded: give it a key of one column"
        raise TransformError(msg)


def find_model(label: str) -> type[Model]:
    """The model of `app_label.ModelName`; `TransformError` with a suggestion when there is none."""
    try:
        return apps.get_model(label)
    except LookupError:
        known = [model._meta.label for model in apps.get_models()]
        app = label.partition(".")[0]
        same_app = [name for name in known if name.partition(".")[0] == app]
        there_are = f"; {app} has {', '.join(sorted(same_app))}" if same_app else ""
        msg = f"there is no model {label!r}{did_you_mean(label, known)}{there_are}"
        raise TransformError(msg) from None


def find_field(model: type[Model], name: str) -> Any:
    """The field of that name that a spec can fill; `TransformError` with the fields there are."""
    fillable = fillable_fields(model)
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        field = fillable.get(name)
    if field is None or field not in fillable.values():
        names = sorted({field.name for field in fillable.values()})
        near = did_you_mean(name, names)
        msg = f"{model._meta.label} has no field {name!r} to fill{near}; its fields: {', '.join(names)}"
        raise TransformError(msg)
    return field


@cache
def fillable_fields(model: type[Model]) -> dict[str, Any]:
    """Name (and column attribute, such as `author_id`) to field, of what a spec can fill."""
    options = model._meta
    fields = [
        field for field in (*options.concrete_fields, *options.many_to_many) if not getattr(field, "generated", False)
    ]
    return {name: field for field in fields for name in {field.name, getattr(field, "attname", field.name)}}
