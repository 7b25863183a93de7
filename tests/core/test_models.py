"""The state machine: whatever is run, killed, retried and refreshed, only the allowed transitions happen."""

import os
from itertools import groupby, pairwise

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from isekai_core import Extraction, Key, Mined, Payload, Pipeline, ResourceRef, Seed, Spec, run
from isekai_core.errors import SkipResource, TemporaryError
from isekai_core.models import TRANSITIONS, Resource, Run, may_follow
from isekai_core.pipeline.definition import extractor, miner, seeder, transformer
from isekai_core.pipeline.retry import retry, retry_pipeline
from isekai_core.types import Stage, State

pytestmark = pytest.mark.django_db(transaction=True)

TRIGGERS = {
    "sqlite": [
        "CREATE TABLE seen_states (row bigint, stage text, state text, before text)",
        """CREATE TRIGGER see_states AFTER UPDATE OF stage, state ON isekai_resource
           BEGIN INSERT INTO seen_states VALUES (new.id, new.stage, new.state, old.state); END""",
        """CREATE TRIGGER see_new AFTER INSERT ON isekai_resource
           BEGIN INSERT INTO seen_states VALUES (new.id, new.stage, new.state, ''); END""",
    ],
    "postgresql": [
        "CREATE TABLE seen_states (at serial, row bigint, stage text, state text, before text)",
        """CREATE FUNCTION see_states() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO seen_states (row, stage, state, before) VALUES
           (new.id, new.stage, new.state, CASE TG_OP WHEN 'INSERT' THEN '' ELSE old.state END);
           RETURN NULL; END $$""",
        """CREATE TRIGGER see_states AFTER INSERT OR UPDATE ON isekai_resource
           FOR EACH ROW EXECUTE FUNCTION see_states()""",
    ],
}
REMOVED = {
    "sqlite": ["DROP TRIGGER see_states", "DROP TRIGGER see_new", "DROP TABLE seen_states"],
    "postgresql": ["DROP TRIGGER see_states ON isekai_resource", "DROP FUNCTION see_states", "DROP TABLE seen_states"],
}
NAMES = "abcd"
OUTCOMES = ["ok", "ok", "ok", "error", "temporary", "skip", "none", "redirect", "kill"]


def execute(statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def seen():
    """A log of every change of a stage or a state, written by the database itself."""
    execute(TRIGGERS[connection.vendor])
    yield
    execute(REMOVED[connection.vendor])


def transitions():
    order = "rowid" if connection.vendor == "sqlite" else "at"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row, stage, state, before FROM seen_states ORDER BY {order}")
        return cursor.fetchall()


class Killed(BaseException):
    """Ends a run as a kill does, but for what the operating system cleans up."""


class Machine(RuleBasedStateMachine):
    """A pipeline of four pages that need one another, whose processors do what is drawn."""

    @initialize()
    def start(self):
        Run.objects.all().delete()
        Resource.objects.all().delete()
        execute(["DELETE FROM seen_states"])
        self.does = dict.fromkeys(((stage, name) for stage in ("extract", "mine", "transform") for name in NAMES), "ok")
        self.text = dict.fromkeys(NAMES, 0)
        self.version = 0

    def do(self, stage, name):
        match self.does[stage, name]:
            case "error":
                msg = "no"
                raise ValueError(msg)
            case "temporary":
                msg = "not now"
                raise TemporaryError(msg, retry_after=0)
            case "skip":
                msg = "not wanted"
                raise SkipResource(msg)
            case "kill":
                self.does[stage, name] = "ok"
                raise Killed
        return self.does[stage, name]

    def pipeline(self):
        @seeder(version="1")
        def seeds():
            yield Seed(Key("thing", "a"))
            yield Seed(Key("thing", "c"), version=f"{self.version:09}")
            yield Seed(Key("thing", "b"))

        @extractor(accepts="thing", version="1")
        def extract(page):
            name = page.key.value
            to = Key("thing", "d") if self.do("extract", name) == "redirect" and name != "d" else None
            return Extraction(Payload.from_text(f"{name} {self.text[name]}"), final_key=to)

        @miner(version="1")
        def mine(page):
            name = page.key.value
            self.do("mine", name)
            yield Mined(Key("thing", NAMES[(NAMES.index(name) + 1) % 4]), {"by": name})

        @transformer(version="1")
        def transform(page):
            name = page.key.value
            if self.do("transform", name) == "none":
                return None
            values = {"name": f"{name} {self.text[name]}"}
            if name in "ab":
                values["parent"] = ResourceRef(Key("thing", "c" if name == "a" else "b"))
            return Spec("testapp.Node", values, match=["name"])

        return Pipeline("machine", seeders=[seeds], extractors=[extract], miners=[mine], transformers=[transform])

    @rule(
        stage=st.sampled_from(["extract", "mine", "transform"]),
        name=st.sampled_from(NAMES),
        does=st.sampled_from(OUTCOMES),
    )
    def change_processor(self, stage, name, does):
        self.does[stage, name] = does

    @rule(name=st.sampled_from(NAMES))
    def change_page(self, name):
        self.text[name] += 1
        self.version += 1

    @rule(
        refresh=st.booleans(),
        start=st.sampled_from(["seed", "seed", "extract", "mine", "transform", "load"]),
        until=st.sampled_from(["load", "load", "load", "transform", "extract"]),
    )
    def run(self, refresh, start, until):
        if (start, until) in {
            ("load", "transform"),
            ("load", "extract"),
            ("mine", "extract"),
            ("transform", "extract"),
        }:
            until = "load"
        try:
            run(self.pipeline(), refresh=refresh, start=start, until=until, wait=False)
        except Killed:
            return
        if until == "load":
            assert not Resource.objects.exclude(state__in=["done", "failed", "blocked", "skipped", "ready"]).exists()

    @rule()
    def die(self):
        """What a kill -9 leaves: an unfinished run of a process that is gone, and rows under its lease."""
        if Run.objects.filter(finished_at=None).exists():
            return
        last = Run.objects.order_by("pk").last()
        if last is not None:
            Run.objects.filter(pk=last.pk).update(finished_at=None, process_started="long ago")
            rows = Resource.objects.filter(state="ready")
            rows.update(state="running", lease_owner=f"{last.pk}:1")

    @rule()
    def retry_what_is_failed_or_blocked(self):
        retry_pipeline("machine")

    @rule()
    def retry_what_is_failed(self):
        retry(Resource.objects.all(), [State.FAILED])

    @invariant()
    def only_allowed_transitions(self):
        if not hasattr(self, "does"):
            return
        states = {}
        for row, stage, state, before in transitions():
            if before:
                assert may_follow(State(before), State(state)) or before == state, (row, before, state, stage)
                assert states.get(row, before) == before
            Stage(stage)
            states[row] = state

    @invariant()
    def what_is_done_is_loaded_and_what_is_loaded_is_done(self):
        for row in Resource.objects.all():
            assert (row.state == "done") == (row.stage == "loaded"), (row.key, row.stage, row.state, row.message)
            assert row.state != "done" or row.target_pk
            assert row.stage == "seeded" or row.payload_id or row.alias_of_id, (row.key, row.stage)
            assert row.stage not in ("transformed", "loaded") or row.spec_id
            assert row.state not in ("failed", "blocked") or row.message
            assert row.state == "running" or row.lease_owner == ""
            assert row.state != "blocked" or row.blocked_by_id


def test_only_allowed_transitions_happen_whatever_is_run_killed_retried_and_refreshed(seen, settings):
    settings.ISEKAI = {"RETRY_BACKOFF": 0, "RETRY_ATTEMPTS": 2, "BATCH_SIZE": 3}
    run_state_machine_as_test(Machine, settings=SETTINGS)


SETTINGS = settings(
    max_examples=int(os.environ.get("ISEKAI_EXAMPLES", "25")),
    stateful_step_count=12,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_the_way_of_a_resource_that_was_blocked_by_one_that_failed_and_healed(seen):
    machine = Machine()
    machine.start()
    machine.does["transform", "c"] = "error"
    run(machine.pipeline())
    assert Resource.objects.get(key="thing:a").state == "blocked"
    machine.does["transform", "c"] = "ok"
    machine.retry_what_is_failed()
    run(machine.pipeline())
    assert Resource.objects.get(key="thing:a").state == "done"
    machine.only_allowed_transitions()
    blocked = Resource.objects.get(key="thing:a").pk
    way = [step for step, _ in groupby((stage, state) for row, stage, state, _ in transitions() if row == blocked)]
    assert way[:2] == [("seeded", "ready"), ("seeded", "running")]
    after = way[way.index(("transformed", "blocked")) + 1 :]
    assert after[:2] == [("transformed", "running"), ("loaded", "done")]


def test_every_state_has_its_transitions_and_only_ready_ones_are_claimed():
    assert TRANSITIONS.keys() == set(State)
    assert {before for before in State if may_follow(before, State.RUNNING)} <= {
        State.READY,
        State.RUNNING,
        State.BLOCKED,
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.READY, State.RUNNING),
        (State.RUNNING, State.READY),
        (State.RUNNING, State.RETRY_WAIT),
        (State.RUNNING, State.FAILED),
        (State.RUNNING, State.SKIPPED),
        (State.RUNNING, State.DONE),
        (State.RETRY_WAIT, State.READY),
        (State.BLOCKED, State.READY),
        (State.FAILED, State.READY),
        (State.SKIPPED, State.READY),
        (State.DONE, State.READY),
    ],
)
def test_what_the_table_of_the_design_allows_is_allowed(before, after):
    assert may_follow(before, after)


@pytest.mark.parametrize("after", [State.RUNNING, State.FAILED, State.BLOCKED, State.RETRY_WAIT, State.SKIPPED])
def test_what_is_done_is_made_ready_before_anything_else_happens_to_it(after):
    assert not may_follow(State.DONE, after)


def test_stages_are_in_the_order_of_the_pipeline():
    assert all(one < other for one, other in pairwise(Stage))


def test_rows_say_what_they_are():
    row = Resource(key="url:https://old.example.org/")
    assert str(row) == "url:https://old.example.org/"
    assert str(Run(pk=3, pipeline="blog")) == "run 3 of blog (running)"
