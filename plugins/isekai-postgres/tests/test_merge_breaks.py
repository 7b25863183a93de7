"""What breaks in the middle of a load: the target is as it was, nothing stays open, and it is said clearly."""

import errno
import io

import pytest
from postgres_shared.rows import CATEGORIES

from isekai_core.errors import MergeError, StagingError
from isekai_core.testing.shop.models import Category, Country


class Reader(io.BytesIO):
    """A file during whose reading something happens."""

    def __init__(self, content, happens):
        super().__init__(content)
        self._happens = happens

    def read(self, size=-1):
        self._happens(self.tell())
        return super().read(size)


def breaking(memory_bundle, happens):
    lines = b"".join(b"%d,slug-%d,\n" % (number, number) for number in range(1, 50_001))
    content = b"id,slug,parent_id\n" + lines
    bundle = memory_bundle((Category, content))
    bundle.open = lambda model: Reader(content, happens)
    return bundle


def trigger(target, table, body, when="AFTER INSERT", constraint=""):
    target.sql(
        f"CREATE FUNCTION happens() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body}; RETURN NULL; END$$",
        f"CREATE {constraint} TRIGGER happens {when} ON {table} FOR EACH ROW EXECUTE FUNCTION happens()",
    )


def test_a_server_process_that_is_killed_while_staging(target, memory_bundle):
    target.create(Category)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isekai'"
    bundle = breaking(memory_bundle, lambda place: target.sql(kill) if place else None)
    told = target.refuses(StagingError, bundle)
    assert told.startswith("staging shop.Category: ")
    assert "terminating connection" in told or "connection" in told


def test_a_server_process_that_is_killed_while_merging(target):
    target.create(Category)
    trigger(target, "shop_category", "PERFORM pg_terminate_backend(pg_backend_pid())")
    told = target.refuses(MergeError, (Category, CATEGORIES))
    assert told.startswith("merging shop.Category: ")


def test_a_file_that_cannot_be_read_to_its_end(target, memory_bundle):
    target.create(Category)

    def fail(place):
        if place:
            raise OSError(errno.EIO, "the disk is broken")

    before = target.content()
    with pytest.raises(OSError, match="the disk is broken"):
        target.load(breaking(memory_bundle, fail))
    assert target.content() == before
    assert target.is_left_alone()


def test_an_interrupt_leaves_nothing(target, memory_bundle):
    target.create(Category)

    def interrupt(place):
        if place:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.load(breaking(memory_bundle, interrupt))
    assert target.is_left_alone()
    assert target.sql("SELECT count(*) FROM shop_category") == [(0,)]


@pytest.mark.parametrize(
    ("state", "text", "told"),
    [
        ("53100", "could not extend file: No space left on device", "No space left on device"),
        ("40001", "could not serialize access", "run the load again"),
        ("40P01", "deadlock detected", "run the load again"),
        ("57014", "canceling statement due to user request", "canceling statement"),
    ],
)
def test_what_the_server_cannot_do_is_told(target, state, text, told):
    target.create(Country)
    trigger(target, "shop_country", f"RAISE EXCEPTION '{text}' USING ERRCODE = '{state}', HINT = 'free some'")
    said = target.refuses(MergeError, (Country, "id,code,name\n5,GB,Britain\n"))
    assert said.startswith(f"merging shop.Country: {text}; free some")
    assert told in said


def test_a_deferred_constraint_is_told_before_the_commit(target):
    target.create(Category)
    target.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
        " AS $$BEGIN RAISE EXCEPTION 'never %', NEW.slug; END$$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON shop_category DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    assert target.refuses(MergeError, (Category, CATEGORIES)).startswith("checking constraints: never a")


def test_a_load_that_failed_can_be_done_again_on_the_same_target(target, memory_bundle):
    target.create(Category)
    target.refuses(StagingError, memory_bundle((Category, CATEGORIES), rows=7))
    target.load((Category, CATEGORIES))
    assert target.sql("SELECT count(*) FROM shop_category") == [(2,)]
