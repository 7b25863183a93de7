"""The suite of transformers: a spec that can be stored and read again, or None, or an error that says why."""

from typing import Any, ClassVar

from isekai_core.errors import SkipResource, TransformError
from isekai_core.testing.conformance.base import Conformance
from isekai_core.testing.conformance.checks import check_kept_key, check_produces, kept_text, shown
from isekai_core.testing.conformance.hostile import check_bears
from isekai_core.testing.conformance.mine import check_accepts
from isekai_core.testing.conformance.suite import Suite, fail, fresh, must, resources
from isekai_core.types import BlobRef, ModelRef, ResourceRef, ResourceView, Spec


class TransformerConformance(Conformance):
    """Subclass it, and give it a transformer and resources of which it makes something.

    class TestPages(TransformerConformance):
        processor = use("pages", model="blog.Page")
        resources = [make_resource("url:https://old.example.org/", text="<h1>Hi", media_type="text/html")]

    resources: with payloads that it reads; it returns a spec for one of them at least. The models of the specs
        need not exist.
    """

    kind: ClassVar[str] = "transformer"

    def test_it_accepts_the_resources(self, suite: Suite) -> None:
        """By their media types."""
        check_accepts(suite)

    def test_it_returns_a_spec(self, suite: Suite) -> None:
        """A Spec, or None for what is not its business; of one resource at least, a Spec."""
        specs = [spec for _, spec in _specs(suite)]
        must(specs, f"it returned None for all of {suite.name}.resources: give one that it makes a row of")

    def test_its_specs_can_be_kept(self, suite: Suite) -> None:
        """Values are of types that are stored, and are equal when they are read again."""
        for view, spec in _specs(suite):
            _told(view, spec)
            for ref in spec.refs():
                if isinstance(ref, ResourceRef) or (isinstance(ref, BlobRef) and ref.key is not None):
                    check_kept_key(ref.key, f"a ref in the spec of {view.key}")

    def test_it_returns_only_what_it_says_it_produces(self, suite: Suite) -> None:
        """`produces`, where it is declared, names the models."""
        transformer = suite.object
        for view, spec in _specs(suite):
            check_produces(transformer, spec.model, str(view.key), "model")

    def test_it_returns_the_same_twice(self, suite: Suite) -> None:
        """For the same payload: what is equal is not written again."""
        first, second = ({view.key: _told(view, spec) for view, spec in _specs(suite)} for _ in range(2))
        for key in {**first, **second}:
            before, after = first.get(key), second.get(key)
            must(before == after, f"{key}: asked twice, it returned {shown(before)} first, then {shown(after)}")

    def test_no_payload_makes_it_fall_over(self, suite: Suite) -> None:
        """Whatever is in it: a spec, None, `TransformError` or `SkipResource`."""
        transformer = suite.object
        for view in resources(suite):
            check_bears(view, lambda broken: _spec(transformer, broken), (TransformError, SkipResource))


def _specs(suite: Suite) -> list[tuple[ResourceView, Spec]]:
    transformer = suite.object
    made = [(view, _spec(transformer, view)) for view in resources(suite)]
    return [(view, spec) for view, spec in made if spec is not None]


def _spec(transformer: Any, view: ResourceView) -> Spec | None:
    spec = transformer.transform(fresh(view))
    must(spec is None or isinstance(spec, Spec), f"{view.key}: a transformer returns a Spec or None, got {shown(spec)}")
    kept: Spec | None = spec
    return kept


def _told(view: ResourceView, spec: Spec) -> tuple[str, str, tuple[str, ...]]:
    """The spec as it is stored."""
    for ref in spec.refs():
        if isinstance(ref, ModelRef) and ref.model.count(".") != 1:
            fail(f"{view.key}: a ModelRef's model is written app_label.ModelName, got {ref.model!r}")
    return spec.model, kept_text(spec.values, f"values of {view.key}"), spec.match
