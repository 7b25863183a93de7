"""Mine: every miner that accepts the payload looks for further keys in it."""

from isekai_core.errors import MineError, SkipResource
from isekai_core.pipeline.composing.compose import Composed
from isekai_core.pipeline.given import check_key, check_payload
from isekai_core.pipeline.tally import Tally
from isekai_core.pipeline.work import Work, dump_metadata, unique_keys
from isekai_core.plugins.contain import as_error
from isekai_core.types import Mined


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
                for item in processor.object.mine(view):
                    _check(item)
                    found.append(item)
        except SkipResource as reason:
            work.skip("mine", str(reason))
            return False
        except BaseException as error:  # code of the plugin
            work.fail(as_error(error, "miner"), "mine", processor.name)
            return False
    work.mined = unique_keys(found)
    work.mined.pop(work.key, None)
    view.mined = frozenset(work.mined)
    work.finish("mine")
    return True


def _check(item: object) -> None:
    if not isinstance(item, Mined):
        msg = f"a miner gives Mined objects, got {item!r}"[:500]
        raise MineError(msg)
    try:
        check_key(item.key)
        dump_metadata(item.metadata, f"metadata of {item.key}")
        if item.payload is not None:
            check_payload(item.payload)
    except (TypeError, ValueError) as error:
        raise MineError(str(error)) from None
