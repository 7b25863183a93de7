"""Rows of a PostgreSQL table become rows of models, through the whole pipeline."""

import pytest
from testapp.models import Author

from isekai_core import Pipeline, Spec, run, transformer, use
from isekai_core.testing.postgres import run_sql

pytestmark = pytest.mark.django_db(transaction=True)


@transformer(accepts="application/vnd.isekai.record+json", version="1")
def author(resource):
    row = resource.payload.record
    return Spec("testapp.Author", {"slug": f"a{row['id']}", "name": row["name"]}, match=["slug"])


@pytest.fixture
def people(postgres_database):
    """A source with three people; called with SQL, it changes them."""
    run_sql(postgres_database, "CREATE TABLE people (id int PRIMARY KEY, name text)")
    run_sql(postgres_database, "INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Mary')")

    def change(statement):
        run_sql(postgres_database, statement)

    change.seeder = use("table", dsn=postgres_database, table="people")
    return change


def migrate(people):
    return run(Pipeline("people", seeders=[people.seeder], transformers=[author], loaders=[use("models")]))


def names():
    return dict(Author.objects.values_list("slug", "name"))


def test_every_row_is_loaded_and_a_second_run_changes_nothing(people):
    first, second = migrate(people), migrate(people)
    assert first.is_complete
    assert names() == {"a1": "Ada", "a2": "Grace", "a3": "Mary"}
    assert (first.changed, second.changed) == (3, 0)


def test_a_changed_row_updates_its_object_and_a_new_one_is_added(people):
    migrate(people)
    before = Author.objects.get(slug="a2").pk
    people("UPDATE people SET name = 'Grace Hopper' WHERE id = 2; INSERT INTO people VALUES (4, 'Joan')")
    assert migrate(people).changed == 2
    assert names() == {"a1": "Ada", "a2": "Grace Hopper", "a3": "Mary", "a4": "Joan"}
    assert Author.objects.get(slug="a2").pk == before


def test_what_came_before_a_row_that_cannot_be_read_is_loaded(people):
    people("ALTER TABLE people ADD due date; UPDATE people SET due = 'infinity' WHERE id = 3")
    result = migrate(people)
    assert names() == {"a1": "Ada", "a2": "Grace"}
    (error,) = result.seed_errors
    assert "column 'due': 'infinity' has no equal in Python" in error["message"]
    assert not result.is_complete


def test_no_password_gets_into_the_journal(people, postgres_database):
    source = use("table", dsn="postgresql://ada:s3cret@127.0.0.1:1/shop", table="people")
    result = run(Pipeline("people", seeders=[source], transformers=[author], loaders=[use("models")]))
    (error,) = result.seed_errors
    assert "127.0.0.1" in error["message"]
    assert "s3cret" not in str(result)
