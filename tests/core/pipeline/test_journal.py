"""The journal: claims, writes as compare-and-set under a lease, and what is made ready again."""

import datetime as dt
import threading
from functools import partial

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from world import author, key, resource, state

from isekai_core import Mined, Payload
from isekai_core.errors import RunError
from isekai_core.models import Resource, Run
from isekai_core.pipeline import lease
from isekai_core.pipeline.composing.compose import compose
from isekai_core.pipeline.journal import Journal, LeaseLost
from isekai_core.pipeline.tally import Quiet
from isekai_core.types import Stage


@pytest.fixture
def journal(world):
    """A journal of ten seeded resources, under a run of its own."""
    for number in range(10):
        world.add(str(number), author(f"a{number}"))
    world.run(until="seed")
    row = lease.acquire("world", Quiet())
    yield Journal(compose(world.pipeline()), row)
    lease.leave(row)


def names(works):
    return [work.key.value for work in works]


def test_a_claim_takes_what_is_ready_in_order_and_once(journal):
    first, second, third = (journal.claim([Stage.SEEDED], 4) for _ in range(3))
    assert names(first + second + third) == [str(number) for number in range(10)]
    assert journal.claim([Stage.SEEDED], 4) == []
    assert set(Resource.objects.values_list("state", flat=True)) == {"running"}
    assert len({work.token for work in first + second + third}) == 3


def test_only_the_stages_that_are_asked_for_are_claimed(journal):
    Resource.objects.filter(key="thing:3").update(stage="mined")
    Resource.objects.filter(key="thing:4").update(state="failed")
    assert names(journal.claim([Stage.MINED], 100)) == ["3"]
    assert "4" not in names(journal.claim([Stage.SEEDED], 100))


def test_two_claims_at_once_share_nothing(journal):
    claimed, barrier = [], threading.Barrier(4)

    def claim():
        try:
            barrier.wait(30)
            other = Journal(journal.composed, journal.run)
            other._claims = threading.get_ident()
            claimed.append(names(other.claim([Stage.SEEDED], 3)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    together = [name for part in claimed for name in part]
    assert len(claimed) == 4
    assert len(together) == len(set(together)) == 10


def finished(works):
    for work in works:
        work.payload = Payload.from_text(work.key.value)
        work.finish("extract")
    return works


def test_what_a_stage_produced_and_the_new_state_are_written_together(journal):
    assert len(journal.write(finished(journal.claim([Stage.SEEDED], 100)))) == 10
    row = resource("3")
    assert (row.stage, row.state, row.lease_owner, row.lease_until) == ("extracted", "ready", "", None)
    assert bytes(row.payload.data) == b"3"


def test_what_somebody_else_took_over_meanwhile_is_left_alone_and_the_rest_is_written(journal):
    works = finished(journal.claim([Stage.SEEDED], 100))
    Resource.objects.filter(key__in=["thing:3", "thing:4"]).update(lease_owner="99:1")
    written = journal.write(works)
    assert names(written) == ["0", "1", "2", "5", "6", "7", "8", "9"]
    assert state("3")[:2] == ("seeded", "running")
    assert (resource("3").payload, resource("3").lease_owner) == (None, "99:1")


def test_what_is_still_ours_is_asked_where_no_other_process_of_the_run_can_take_more(journal, monkeypatch):
    journal.processes = 2
    works = finished(journal.claim([Stage.SEEDED], 2))
    Resource.objects.filter(key="thing:0").update(lease_owner="99:1")
    asked, ask = [], journal.still_ours
    monkeypatch.setattr(journal, "still_ours", lambda works: asked.append(connection.in_atomic_block) or ask(works))
    assert names(journal.write(works)) == ["1"]
    assert asked == [True]


def test_new_resources_of_a_batch_that_was_undone_are_found_again(journal):

    works = finished(journal.claim([Stage.SEEDED], 2))
    for work in works:
        work.mined = {key("new"): Mined(key("new"), {"alt": work.key.value})}
        work.row.mine_step_id = journal.step("mine", None)
        work.finish("mine")
    Resource.objects.filter(key="thing:0").update(lease_owner="99:1")
    assert names(journal.write(works)) == ["1"]
    assert resource("new").dependents.get().parent.key == "thing:1"


def test_load_writes_nothing_of_a_batch_of_which_one_is_lost(journal):
    Resource.objects.update(stage="transformed")
    works = journal.claim_ids(list(Resource.objects.order_by("pk").values_list("pk", flat=True)))
    Resource.objects.filter(key="thing:7").update(lease_owner="99:1")
    for work in works:
        work.row.stage, work.row.state, work.row.target_pk = "loaded", "done", "1"

    with pytest.raises(LeaseLost), transaction.atomic():
        journal.write_loaded(works)
    assert not Resource.objects.filter(state="done").exists()
    assert names(journal.still_ours(works)) == [name for name in "0123456789" if name != "7"]


def test_claims_for_load_keep_the_order_that_is_asked_for_and_take_only_what_is_ready(journal):
    Resource.objects.update(stage="transformed")
    Resource.objects.filter(key="thing:2").update(state="blocked")
    Resource.objects.filter(key="thing:3").update(state="failed")
    pks = {row.key.removeprefix("thing:"): row.pk for row in Resource.objects.all()}
    assert names(journal.claim_ids([pks["5"], pks["2"], pks["3"], pks["0"]])) == ["5", "2", "0"]
    assert journal.claim_ids([]) == []


def test_signs_of_life_hold_the_leases_and_come_at_most_every_quarter_of_one(journal, configure):
    configure(LEASE_SECONDS=100)
    works = journal.claim([Stage.SEEDED], 3)
    Resource.objects.filter(state="running").update(lease_until=timezone.now())
    Run.objects.update(heartbeat_at=timezone.now() - dt.timedelta(days=1))
    journal.beat(works)
    assert Run.objects.last().heartbeat_at < timezone.now() - dt.timedelta(hours=1)
    journal._beat -= 30
    journal.beat(works)
    now = timezone.now()
    assert Run.objects.last().heartbeat_at > now - dt.timedelta(seconds=30)
    assert all(row.lease_until > now + dt.timedelta(seconds=60) for row in Resource.objects.filter(state="running"))


def test_what_is_due_is_woken_and_the_next_time_is_told(journal):
    now = timezone.now()
    for name, seconds in (("1", -1), ("2", 50), ("3", 20)):
        Resource.objects.filter(key=f"thing:{name}").update(
            state="retry_wait", next_attempt_at=now + dt.timedelta(seconds=seconds)
        )
    assert journal.wake() == now + dt.timedelta(seconds=20)
    assert [state(name)[1] for name in "123"] == ["ready", "retry_wait", "retry_wait"]
    Resource.objects.update(state="ready")
    assert journal.wake() is None


def test_giving_everything_back_gives_back_only_what_is_ones_own(journal):
    journal.claim([Stage.SEEDED], 3)
    Resource.objects.filter(key="thing:9").update(state="running", lease_owner=f"{journal.run.pk}9:1")
    journal.release_all()
    assert [state(name)[1] for name in "0129"] == ["ready", "ready", "ready", "running"]


def test_counts_are_of_this_pipeline_alone(journal, world):
    world.run("other", until="seed")
    journal.claim([Stage.SEEDED], 3)
    assert journal.counts() == {("seeded", "running"): 3, ("seeded", "ready"): 7}


def test_a_step_is_one_row_for_each_configuration(journal):
    processor = journal.composed["extractor"][0]
    assert journal.step("extract", processor) == journal.step("extract", processor)
    again = Journal(journal.composed, journal.run)
    assert again.step("extract", processor) == journal.step("extract", processor)
    assert journal.step("mine", None) != journal.step("extract", None)


def test_a_process_of_a_run_that_was_given_to_somebody_else_writes_nothing_more(journal):
    helper = Journal(journal.composed, journal.run, number=1, processes=2)
    works = finished(helper.claim([Stage.SEEDED], 1))
    Run.objects.update(finished_at=timezone.now())
    give_back = partial(helper.release_of, 1)
    for more in (lambda: helper.write(works), lambda: helper.claim([Stage.SEEDED], 1), helper.wake, give_back):
        with pytest.raises(RunError, match=f"run {journal.run.pk} of .* is over, or another process took it over"):
            more()
    assert (state("0")[:2], resource("0").payload) == (("seeded", "running"), None)


def test_what_another_process_of_the_run_holds_is_known_and_given_back_when_that_is_gone(journal):
    journal.processes = 12
    helpers = [Journal(journal.composed, journal.run, number=number, processes=12) for number in (1, 11)]
    assert not journal.others_hold()
    for process in (journal, *helpers):
        process.claim([Stage.SEEDED], 2)
    assert [process.others_hold() for process in (journal, *helpers)] == [True, True, True]
    journal.release_of(1)
    assert sorted(Resource.objects.exclude(lease_owner="").values_list("lease_owner", flat=True)) == [
        *[f"{journal.run.pk}:0:1"] * 2,
        *[f"{journal.run.pk}:11:1"] * 2,
    ]
    journal.release_of(11)
    assert not journal.others_hold()
