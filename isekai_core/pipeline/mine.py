"""Mine: every miner that accepts the payload looks for further keys in it."""

from isekai_core.errors import MineError, SkipResource
from isekai_core.pipeline.composing.compose import Composed
from isekai_core.pipeline.given import check_key, kept_payload, several
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.work import Work, dump_metadata, load_metadata, unique_keys
from isekai_core.plugins.contain import as_error
from isekai_core.types import Mined
from isekai_core.types.resources import tell_mined


def mine(work: Work, composed: Composed, step: int, tally: Tally) -> bool:
    """Ask all miners; whether the resource goes on. Nothing found is as good as something."""
    view = work.view
    work.row.mine_step_id = step
    found: list[Mined] = []
    for processor in composed["miner"]:
        try:
            if not processor.accepts(view.media_type):
                continue
            with tally.cost(processor, resources=1):
                found += [_kept(item) for item in several(processor.object.mine(view), "mine()", "Mined")]
        except SkipResource as reason:
            work.skip("mine", reason)
            return False
        except BaseException as error:  # code of the plugin
            work.fail(as_error(error, "miner"), "mine", processor.name)
            return False
    work.mined = unique_keys(found)
    work.mined.pop(work.key, None)
    tell_mined(view, frozenset(work.mined))
    work.finish("mine")
    return True


def _kept(item: object) -> Mined:
    """What was found, as it is now: its miner may go on with the mapping that it gave as metadata."""
    if not isinstance(item, Mined):
        msg = f"a miner gives Mined objects, got {item!r}"[:500]
        raise MineError(msg)
    try:
        check_key(item.key)
        said = dump_metadata(item.metadata, f"metadata of {item.key}")
        payload = None if item.payload is None else kept_payload(item.payload)
    except (TypeError, ValueError) as error:
        raise MineError(str(error)) from None
    return Mined(item.key, load_metadata(said), payload)
