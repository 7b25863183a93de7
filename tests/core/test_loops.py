"""`loops.py`: work moves to a thread where an event loop runs, and only there; a loop to fetch with."""

import asyncio
import contextvars
import sys
import threading
from contextlib import closing

import pytest
from django.db import connection, connections

from isekai_core.builtins.orm.database import Orm
from isekai_core.loops import new_loop, outside_loops
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.slicing import importer as home
from isekai_core.testing.shop.models import Tenant

SHOWN = contextvars.ContextVar("shown", default="nowhere")


async def in_a_loop(work):
    return work()


def test_without_a_loop_it_is_done_here():
    assert outside_loops(threading.current_thread) is threading.current_thread()


def test_in_a_loop_it_is_done_elsewhere_with_the_context_of_here():
    SHOWN.set("below this cell")
    thread, shown = asyncio.run(in_a_loop(lambda: outside_loops(lambda: (threading.current_thread(), SHOWN.get()))))
    assert thread is not threading.current_thread()
    assert shown == "below this cell"


def test_what_it_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_a_loop(lambda: outside_loops(lambda: 1 // 0)))


@pytest.mark.django_db(transaction=True)
def test_the_orm_can_be_asked_and_the_connection_is_closed():
    used = []

    def ask():
        used.append(connections["default"])
        return Tenant.objects.count()

    assert asyncio.run(in_a_loop(lambda: outside_loops(ask))) == 0
    assert used[0] is not connection
    assert used[0].connection is None


@pytest.mark.django_db(transaction=True)
def test_slices_of_the_orm_are_cut_estimated_loaded_and_taken_out_in_a_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "_importers", {})
    type("TenantImporter", (Importer,), {"model": Tenant})
    Tenant.objects.create(name="a", subdomain="a")
    folder, jobs = DataSlicer.File(tmp_path / "dev"), [ImportJob(Tenant)]

    async def cells():
        rows = DataSlicer.estimate(Orm(), jobs)["shop.Tenant"].rows
        cut = DataSlicer.run(Orm(), folder, jobs, progress=False).rows
        loaded = DataSlicer.run(folder, Orm(), name="dev", progress=False)[0].updated
        return rows, cut, loaded, Orm().unload("dev")[0].rows

    assert asyncio.run(cells()) == (1, 1, 0, 0)


async def what_runs():
    return asyncio.get_running_loop()


def test_what_is_fetched_is_fetched_by_uvloop_where_that_is_installed():
    uvloop = pytest.importorskip("uvloop")
    with closing(new_loop()) as loop:
        assert isinstance(loop, uvloop.Loop)
        assert loop.run_until_complete(what_runs()) is loop


def test_without_uvloop_there_is_a_loop_of_asyncios_own(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with closing(new_loop()) as loop:
        assert type(loop).__module__.startswith("asyncio.")
        assert loop.run_until_complete(what_runs()) is loop
