"""Who runs a pipeline: the `Run` row is its lock, and tells whether the holder is still alive."""

import datetime as dt
import os
import socket
import time
from pathlib import Path

from django.db import IntegrityError, router, transaction
from django.utils import timezone

from isekai_core.conf import settings
from isekai_core.errors import RunBusy
from isekai_core.models import Resource, Run
from isekai_core.pipeline.tally import Progress
from isekai_core.types import State

_POLL_SECONDS = 1.0
_OWN: set[int] = set()
"""The runs that are under way in this process."""


def acquire(pipeline: str, progress: Progress, *, wait: bool = True) -> Run:
    """A new run of `pipeline`, once nobody else runs it.

    A run whose process is gone is taken over at once; for one that lives, or that is on another host and
    gave a sign of life within LEASE_SECONDS, this waits and says for whom, or raises `RunBusy`.
    """
    told = False
    while True:
        holder = Run.objects.filter(pipeline=pipeline, finished_at=None).first()
        if holder is None or not is_alive(holder):
            if (run := _take(pipeline, holder)) is not None:
                return run
            continue
        since = f"{holder.started_at:%Y-%m-%d %H:%M:%S %Z}"
        text = f"{pipeline} is being run by process {holder.pid} on {holder.host} since {since}"
        if not wait:
            raise RunBusy(text)
        if not told:
            progress.say(f"{text}; waiting for it to end")
            told = True
        time.sleep(_POLL_SECONDS)


def is_alive(run: Run) -> bool:
    """Whether the process of `run` may still work: asked directly on this host, by its heartbeat elsewhere."""
    if run.host == socket.gethostname():
        # One of this process's own that is over was left without a word, because the database was gone, say.
        is_over = run.pid == os.getpid() and run.pk not in _OWN
        return not is_over and _process_started(run.pid) == run.process_started
    return bool(run.heartbeat_at > timezone.now() - dt.timedelta(seconds=settings().lease_seconds))


def leave(run: Run) -> None:
    """The run is over, whether or not the database could be told."""
    _OWN.discard(run.pk)


def _take(pipeline: str, dead: Run | None) -> Run | None:
    """The new run, or None when another process was faster."""
    try:
        with transaction.atomic(using=router.db_for_write(Run)):
            if dead is not None:
                _release(dead)
            run = Run.objects.create(
                pipeline=pipeline,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started=_process_started(os.getpid()),
                heartbeat_at=timezone.now(),
                **_last_marks(pipeline),
            )
            # Before anybody else can see it.
            _OWN.add(run.pk)
    except IntegrityError:
        return None
    return run


def _release(dead: Run) -> None:
    now = timezone.now()
    Run.objects.filter(pk=dead.pk, finished_at=None).update(outcome=Run.Outcome.LOST, finished_at=now)
    Resource.objects.filter(
        pipeline=dead.pipeline, state=State.RUNNING.value, lease_owner__startswith=f"{dead.pk}:"
    ).update(state=State.READY.value, lease_owner="", lease_until=None, updated_at=now)


def _last_marks(pipeline: str) -> dict[str, int]:
    last = Run.objects.filter(pipeline=pipeline).order_by("-pk").first()
    return {"edge_mark": last.edge_mark, "link_mark": last.link_mark} if last else {}


def _process_started(pid: int) -> str:
    """What tells the process from a later one of the same number; "" when there is no such process."""
    try:
        # Linux: the 22nd field of stat is the start in clock ticks since boot. The name before may hold spaces.
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # A zombie was killed already, and waits for its parent to notice.
        return "" if status[0] in "ZX" else status[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return ""
    except PermissionError:
        pass
    return "alive"
