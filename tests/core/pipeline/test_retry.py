"""`pipeline/retry.py`: what did not go through is ready again, and goes through once its cause is gone."""

from testapp.models import Article, Author
from testapp.pipelines import Thing, article, author, key

from isekai_core import run
from isekai_core.models import Resource
from isekai_core.pipeline.reports.causes import causes
from isekai_core.pipeline.reports.standing import standing_of
from isekai_core.pipeline.retry import retry, retry_causes, retry_pipeline, retry_resources
from isekai_core.types import State


def row(name):
    return Resource.objects.get(key=f"thing:{name}")


def test_what_failed_or_was_blocked_goes_through_once_the_cause_is_gone(shelf):
    run("shelf")
    shelf["ghost"] = Thing(author("ghost"))
    shelf["gone"] = Thing(article("gone"))
    shelf["wild"] = Thing(article("wild"))
    assert retry_pipeline("shelf") == 5
    result = run("shelf")
    assert result.is_complete
    assert Article.objects.get(slug="c").author == Author.objects.get(slug="ghost")
    assert Article.objects.get(slug="e").body == "see /articles/gone/ and /old/odd"


def test_a_plain_run_does_not_retry_by_itself(shelf):
    run("shelf")
    shelf["wild"] = Thing(article("wild"))
    run("shelf")
    assert row("wild").state == "failed"


def test_nothing_of_the_failure_is_left(shelf):
    run("shelf")
    Resource.objects.filter(key="thing:wild").update(attempts=3)
    retry_pipeline("shelf")
    for name in ("wild", "c"):
        fresh = row(name)
        assert fresh.state == "ready"
        assert (fresh.attempts, fresh.blocked_by, fresh.next_attempt_at) == (0, None, None)
        assert not any((fresh.error_stage, fresh.error_class, fresh.message, fresh.traceback, fresh.cause))


def test_a_resource_goes_on_after_the_last_stage_it_completed(shelf):
    run("shelf")
    retry_pipeline("shelf")
    assert [row(name).stage for name in ("ghost", "wild", "c")] == ["seeded", "mined", "transformed"]


def test_what_is_skipped_or_done_is_left_unless_it_is_named(shelf):
    run("shelf")
    retry_pipeline("shelf")
    assert (row("odd").state, row("a").state) == ("skipped", "done")
    assert retry_resources([row("odd"), row("a")]) == 1
    assert (row("odd").state, row("a").state) == ("ready", "done")


def test_one_cause_is_retried_with_all_its_resources_and_no_other(shelf):
    shelf.update({f"n{number}": Thing(text=shelf["gone"].text) for number in range(20)})
    run("shelf")
    failed, wild, blocked = causes("shelf", examples=1)
    assert retry_causes("shelf", [failed, blocked]) == 24
    assert row("wild").state == "failed"
    assert retry_causes("shelf", [wild]) == 1


def test_the_same_failure_in_another_pipeline_is_left(shelf):
    run("shelf")
    other = Resource.objects.create(
        pipeline="other", key="thing:x", key_hash=key("x").digest, state="failed", cause=row("ghost").cause
    )
    retry_causes("shelf", causes("shelf"))
    retry_pipeline("shelf")
    other.refresh_from_db()
    assert other.state == "failed"


def test_what_a_run_has_under_lease_is_left_alone(shelf):
    run("shelf")
    Resource.objects.filter(key="thing:ghost").update(state="running", lease_owner="1:1")
    assert retry(Resource.objects.all()) == 5
    assert (row("ghost").state, row("ghost").lease_owner) == ("running", "1:1")


def test_a_redirect_is_asked_again_where_it_leads(well):
    well["old"] = Thing(None)
    run("shelf")
    Resource.objects.filter(key="thing:old").update(stage="extracted", state="skipped", alias_of=row("a"))
    assert retry_resources([row("old")]) == 1
    assert (row("old").stage, row("old").state) == ("seeded", "ready")
    well["old"].spec = article("old")
    run("shelf")
    assert (row("old").state, row("old").alias_of) == ("done", None)


def test_what_waits_gets_its_try_now_only_when_it_is_named(well):
    run("shelf")
    Resource.objects.filter(key="thing:a").update(state="retry_wait", stage="seeded", cause="0123abcd")
    assert retry_pipeline("shelf") == 0
    assert retry_causes("shelf", causes("shelf")) == 1
    assert standing_of("shelf").of(State.READY) == 1
