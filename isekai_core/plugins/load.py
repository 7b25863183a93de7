"""One plugin is imported and asked what it registers; whatever goes wrong puts it, and only it, in quarantine."""

import importlib
import traceback
from functools import reduce
from time import perf_counter

from isekai_core.plugins import hooks
from isekai_core.plugins.apps import problem_of
from isekai_core.plugins.compatible import CORE, wanted_core
from isekai_core.plugins.diagnose import Diagnosis, diagnose
from isekai_core.plugins.entry import Plugin, ProcessorEntry
from isekai_core.plugins.quiet import quiet
from isekai_core.plugins.scan import API, GROUP, Installed
from isekai_core.plugins.states import InvalidHooksError, PluginState


def load(installed: Installed, core: str = "") -> Plugin:
    """The plugin, imported and registered, or in quarantine with reason and fix. Never raises what the plugin raised.

    core: the version of isekai-core that it must fit.
    """
    if diagnosis := unfit(installed, core):
        return Plugin(installed, diagnosis.state, diagnosis.reason, diagnosis.fix)
    started = perf_counter()
    import_ms = 0.0
    entries: list[ProcessorEntry] = []
    try:
        with quiet():
            parts = [_resolve(reference) for reference in installed.modules]
            import_ms = _since(started)
            manager = hooks.manager_of(parts)
            implemented = _some(hooks.implemented(manager), installed)
            hooks.register_all(manager, installed, entries)
    except KeyboardInterrupt:  # the user's
        raise
    except BaseException as error:  # the plugin's, whatever it is derived from
        diagnosis = diagnose(error, installed)
        text = "".join(traceback.format_exception(error))
        return Plugin(
            installed,
            diagnosis.state,
            diagnosis.reason,
            diagnosis.fix,
            text,
            import_ms or _since(started),
            processors=tuple(entries),
        )
    reason = "" if entries or installed.apps else "its hooks register nothing"
    return Plugin(installed, reason=reason, import_ms=import_ms, hooks=implemented, processors=tuple(entries))


def unfit(installed: Installed, core: str) -> Diagnosis | None:
    """What the metadata tells already, before anything of the plugin runs."""
    if installed.problem:
        fix = f"pip install --force-reinstall {installed.name}"
        return Diagnosis(PluginState.FAILED_IMPORT, installed.problem, fix)
    if installed.odd_group:
        reason = (
            f"its hooks are in the entry-point group {installed.odd_group[:40]!r}: API {API} is the group {GROUP!r}"
        )
        return Diagnosis(PluginState.INVALID_HOOKS, reason, f"call the group {GROUP}, without a number")
    if wanted := wanted_core(installed.requires, core):
        fix = f"pip install --upgrade {installed.name}"
        return Diagnosis(PluginState.INCOMPATIBLE, f"needs {wanted}, found isekai-core {core}", fix)
    if API not in installed.apis and installed.apis:
        levels = " and ".join(str(level) for level in installed.apis)
        fix = f"pip install --upgrade {CORE if installed.apis[-1] > API else installed.name}"
        reason = f"is written for hook API {levels}, and this isekai-core has API {API}"
        return Diagnosis(PluginState.INCOMPATIBLE, reason, fix)
    if problem := next(filter(None, map(problem_of, installed.apps)), ""):
        return Diagnosis(PluginState.FAILED_IMPORT, problem, f"pip install --upgrade {installed.name}")
    return None


def _resolve(reference: str) -> object:
    module, _, path = reference.partition("[")[0].strip().partition(":")
    imported: object = importlib.import_module(module.strip())
    return reduce(getattr, path.split("."), imported) if path else imported


def _some(implemented: tuple[str, ...], installed: Installed) -> tuple[str, ...]:
    # What is a Django app only has no module here.
    if not implemented and (installed.modules or not installed.apps):
        reason = "it implements no hook, so it provides nothing"
        raise InvalidHooksError(reason, f"the hooks are {', '.join(hooks.HOOKS)}")
    return implemented


def _since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 3)
