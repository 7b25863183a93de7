"""The journal: resources, their payloads, what points to what, who did it, and the runs.

Columns, states and transitions; no engine. A resource row is the checkpoint: whatever is done is in
here, so a run that is killed at any instant goes on where it was.
"""

from typing import ClassVar

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from isekai_core.types import Stage, State

_TITLE = 70

TRANSITIONS: dict[State, frozenset[State]] = {
    State.READY: frozenset({State.RUNNING, State.BLOCKED, State.SKIPPED, State.DONE}),
    State.RUNNING: frozenset(State),
    State.RETRY_WAIT: frozenset({State.READY}),
    State.BLOCKED: frozenset({State.READY, State.RUNNING, State.FAILED, State.BLOCKED}),
    State.FAILED: frozenset({State.READY}),
    State.SKIPPED: frozenset({State.READY}),
    State.DONE: frozenset({State.READY}),
}
"""What may follow a state. Only the holder of the lease moves a running resource.

Nothing asks for it while a pipeline runs, since states are written for many rows at once: the tests compare every
change of a state in the database with it, whatever is run, killed and retried.
"""


def may_follow(before: State, after: State) -> bool:
    """Whether `after` may follow `before`.

    >>> may_follow(State.READY, State.RUNNING), may_follow(State.DONE, State.FAILED)
    (True, False)
    """
    return after in TRANSITIONS[before]


class Run(models.Model):
    """One execution of a pipeline, and the lock of it: a pipeline has one unfinished run at most."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped")
        LOST = "lost", _("lost")

    pipeline = models.CharField(max_length=100)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.RUNNING)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    process_started = models.CharField(
        max_length=40, blank=True, help_text=_("tells a process from a later one with the same number")
    )
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    edge_mark = models.BigIntegerField(
        default=0, help_text=_("the last dependency that the sweep before load has seen")
    )
    link_mark = models.BigIntegerField(default=0, help_text=_("the load batch from which on links may be out of date"))
    report = models.JSONField(default=dict, help_text=_("counts and seconds per stage, counts per model"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pipeline"], condition=models.Q(finished_at=None), name="isekai_one_run_a_pipeline"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["pipeline", "-id"], name="isekai_run_latest")]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.pipeline} ({self.outcome})"


class Step(models.Model):
    """A processor as it was configured when it worked: the provenance, and what tells that work is stale.

    `fingerprint` is of the processor, its version and its options; `chain` is of all processors of the
    stage, because any of them may decide what becomes of a resource. A miner's own row has for its chain the
    fingerprint of the step of all miners together, which is the one that resources have.
    """

    pipeline = models.CharField(max_length=100)
    stage = models.CharField(max_length=12)
    processor = models.CharField(max_length=255)
    plugin = models.CharField(max_length=150, blank=True)
    version = models.CharField(max_length=60, blank=True)
    fingerprint = models.CharField(max_length=64)
    chain = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pipeline", "stage", "processor", "fingerprint", "chain"], name="isekai_step_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage}: {self.processor} {self.version}".rstrip()


class Payload(models.Model):
    """Extracted bytes, stored once for the same content and reading: inline, or as a blob in a storage."""

    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    media_type = models.CharField(max_length=255)
    charset = models.CharField(max_length=40, blank=True)
    size = models.BigIntegerField()
    data = models.BinaryField(null=True, help_text=_("the bytes, when they are few enough"))
    packing = models.CharField(max_length=8, blank=True, db_default="", help_text=_("how data is packed"))
    blob = models.CharField(max_length=255, blank=True, help_text=_("the name in the storage, when they are not"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sha256", "kind", "media_type", "charset"], name="isekai_payload_once")
        ]

    def __str__(self) -> str:
        return f"{self.media_type}, {self.size} bytes"


class Resource(models.Model):
    """One distinct piece of data on its way to one model instance.

    `stage` is the last stage it completed, `state` what may happen to it next. Defaults are the database's,
    because the journal inserts only what it knows of a new resource.
    """

    pipeline = models.CharField(max_length=100)
    key = models.TextField()
    key_hash = models.CharField(max_length=64, help_text=_("sha256 of the key"))
    depth = models.PositiveIntegerField(db_default=0, help_text=_("0 for what a seeder gave, one more a miner"))
    stage = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Stage], db_default=Stage.SEEDED.value)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State], db_default=State.READY.value)
    version = models.CharField(max_length=64, blank=True, db_default="", help_text=_("what the seeder said of its age"))

    # Specs and metadata are text, not JSON columns: PostgreSQL's refuse a NUL that came from a page.
    metadata = models.TextField(blank=True, db_default="", help_text=_("what the seeder said, as tagged JSON"))
    extracted = models.TextField(blank=True, db_default="", help_text=_("what the extractor said, as tagged JSON"))
    lead = models.CharField(
        max_length=16, blank=True, db_default="", help_text=_("hash of what the page that found it said")
    )
    payload = models.ForeignKey(Payload, models.PROTECT, null=True, blank=True, db_index=False)
    spec = models.ForeignKey(
        Payload, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, help_text=_("what it becomes")
    )
    spec_hash = models.CharField(max_length=64, blank=True, db_default="")

    target_model = models.CharField(max_length=150, blank=True, db_default="")
    target_pk = models.CharField(max_length=255, blank=True, db_default="")
    loaded_hash = models.CharField(
        max_length=64, blank=True, db_default="", help_text=_("the spec_hash that stands in the row")
    )
    written = models.TextField(blank=True, db_default="", help_text=_("hash of every field as it was written, as JSON"))

    # Links are written again where the row they lead to changed in a later batch than the text was loaded in.
    loaded_in = models.BigIntegerField(db_default=0, help_text=_("the load batch that last looked at its row"))
    changed_in = models.BigIntegerField(db_default=0, help_text=_("the load batch in which its row came or changed"))

    alias_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="aliases")
    blocked_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="blocks")

    # Who did it. No constraint and no index: they are looked up from the resource, never the other way.
    seed_step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    extract_step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    mine_step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    transform_step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    load_step = models.ForeignKey(
        Step, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )

    attempts = models.PositiveSmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=40, blank=True, db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    error_stage = models.CharField(max_length=12, blank=True, db_default="")
    error_processor = models.CharField(max_length=255, blank=True, db_default="")
    error_class = models.CharField(max_length=255, blank=True, db_default="")
    message = models.TextField(
        blank=True, db_default="", help_text=_("why it failed, waits, is blocked or was skipped")
    )
    traceback = models.TextField(blank=True, db_default="")
    cause = models.CharField(
        max_length=8, blank=True, db_default="", help_text=_("the same for failures with the same cause")
    )

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["pipeline", "key_hash"], name="isekai_resource_once")]
        indexes: ClassVar = [
            models.Index(fields=["pipeline", "state", "stage"], name="isekai_resource_next"),
            models.Index(fields=["pipeline", "changed_in"], name="isekai_resource_changed"),
            models.Index(fields=["target_model", "target_pk"], name="isekai_resource_target"),
            models.Index(fields=["lease_owner"], name="isekai_resource_lease", condition=~models.Q(lease_owner="")),
        ]

    def __str__(self) -> str:
        # A title: the admin shows it on one line, whatever its length.
        return Truncator(self.key).chars(_TITLE)


class Dependency(models.Model):
    """That one resource points to another: a miner found it there, or its spec refers to it, or both."""

    class Ref(models.TextChoices):
        NONE = "", _("none")
        SOFT = "soft", _("soft")
        HARD = "hard", _("hard")

    parent = models.ForeignKey(Resource, models.CASCADE, related_name="dependencies", db_index=False)
    child = models.ForeignKey(Resource, models.CASCADE, related_name="dependents")
    found = models.BooleanField(default=False, help_text=_("a miner found the child in the parent"))
    metadata = models.TextField(blank=True, help_text=_("what was said of the child there, as tagged JSON"))
    ref = models.CharField(max_length=4, choices=Ref, blank=True, default=Ref.NONE)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["parent", "child"], name="isekai_dependency_once")]
        verbose_name_plural = _("dependencies")

    def __str__(self) -> str:
        return f"{self.parent_id} → {self.child_id}"
