"""What to install for a processor that is not here: earlier runs know who had it."""

from isekai_core.plugins.registry import registry
from isekai_core.types import KINDS, STAGES

_STAGE_OF = dict(zip(KINDS, STAGES, strict=True))
_HINT = "; a pipeline that names its plugins, as in requires = ['isekai-acme>=0.1'], says what to install"


def advice(kind: str, name: str, said: str) -> str:
    """What to add to `said`, the message that there is no processor of that kind and name; "" for nothing."""
    if "pip install" in said:
        return ""
    found = _earlier(kind, name)
    if found is None:
        return "" if "did you mean" in said else _HINT
    plugin, version = found
    if plugin in {one.name for one in registry().plugins}:
        return f"; earlier runs had it from {plugin} {version}"
    return f"; earlier runs had it from {plugin} {version}: pip install {plugin}"


def _earlier(kind: str, name: str) -> tuple[str, str] | None:
    """Plugin and version of the last processor of that kind and name that worked here."""
    from django.apps import apps  # noqa: PLC0415 - names are looked up without a project, too

    if not apps.ready or kind not in _STAGE_OF:
        return None
    try:
        from isekai_core.models import Step  # noqa: PLC0415 - the same

        which = {"processor": name} if "/" in name else {"processor__endswith": f"/{name}"}
        steps = Step.objects.filter(stage=_STAGE_OF[kind], **which).exclude(plugin="").order_by("-pk")
        return steps.values_list("plugin", "version").first()
    except Exception:  # there may be no database, or no table yet: then nobody knows
        return None
