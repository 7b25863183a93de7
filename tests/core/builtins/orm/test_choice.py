"""What is chosen, compared with a plain model of it in Python, over random rows and random jobs."""

import hashlib

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_bundle import MemoryBundle, Told

from isekai_core.builtins.orm.choice import is_sampled
from isekai_core.builtins.orm.database import Orm
from isekai_core.slicing import ImportJob, per
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Category, Country, Firm, Person

pytestmark = pytest.mark.django_db
RUNS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

names = st.sampled_from(["a", "b", "c", "d"])
shares = st.none() | st.floats(0.05, 1)
limits = st.none() | st.integers(1, 6)
people = st.lists(st.tuples(names, st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=25)


@pytest.fixture(autouse=True)
def declare(isekai_importers):
    isekai_importers(Country)
    isekai_importers(Person, country=Country)
    return isekai_importers


def chosen(jobs, seed):
    bundle = MemoryBundle()
    Orm().export(plan_of(jobs, seed=seed), bundle, Told())
    return {model: [int(key) for key in bundle.column(model, "id")] for model in bundle.texts}


def sampled(key, seed, share):
    return share is None or int(hashlib.md5(f"{key}:{seed}".encode()).hexdigest()[:8], 16) < share * 2**32


def first_of_each(rows, parent, limit, order):
    """The keys of at most `limit` rows of each parent."""
    seen, found = {}, set()
    for row in sorted(rows, key=lambda row: (order(row), row["id"])):
        seen[row[parent]] = seen.get(row[parent], 0) + 1
        if row[parent] is None or seen[row[parent]] <= limit:
            found.add(row["id"])
    return found


@RUNS
@given(people, st.integers(1, 4), limits, limits, limits, shares, st.integers(0, 5), st.booleans())
def test_limits_pers_and_samples_are_those_of_a_plain_model(rows, countries, limit, each, other, share, seed, down):
    with transaction.atomic():
        for number in range(4):
            Country.objects.create(pk=number + 1, code=f"c{number}", name="")
        made = [
            Person.objects.create(name=name, country_id=None if place is None else f"c{place}", height=height)
            for name, place, height in rows
        ]
        pers = [per("country", each, order_by="-name" if down else "name")] if each else []
        pers += [per("country", other)] if other else []
        job = ImportJob(model=Person, limit=[*pers, *([limit] if limit else [])] or None, sample=share, order_by="name")
        got = chosen([ImportJob(model=Country, limit=countries), job], seed)
        transaction.set_rollback(True)
    there = {f"c{number}" for number in range(countries)}
    model = [{"id": one.pk, "name": one.name, "country": one.country_id} for one in made]
    model = [row for row in model if row["country"] is None or row["country"] in there]
    model = [row for row in model if sampled(row["id"], seed, share)]
    allowed = [{row["id"] for row in model}]
    if each:
        order = (lambda row: -ord(row["name"])) if down else (lambda row: row["name"])
        allowed.append(first_of_each(model, "country", each, order))
    if other:
        allowed.append(first_of_each(model, "country", other, lambda row: 0))
    kept = [row for row in model if row["id"] in set.intersection(*allowed)]
    kept = sorted(kept, key=lambda row: (row["name"], row["id"]))[: limit or None]
    assert got["shop.Person"] == sorted(row["id"] for row in kept)
    assert got["shop.Country"] == list(range(1, countries + 1))


@RUNS
@given(st.lists(st.none() | st.integers(0, 11), max_size=12), limits)
def test_a_tree_keeps_the_rows_whose_whole_way_up_is_there(declare, parents, limit):
    declare(Category, parent=Category)
    with transaction.atomic():
        made = [Category.objects.create(slug=f"c{number}") for number in range(len(parents))]
        up = {
            one.pk: made[parent].pk if parent is not None and parent < len(made) else None
            for one, parent in zip(made, parents, strict=True)
        }
        for key, parent in up.items():
            Category.objects.filter(pk=key).update(parent_id=parent)
        query = Category.objects.exclude(slug__in=["c1", "c4"])
        got = chosen([ImportJob(model=Category, query=query, limit=limit)], 0)["shop.Category"]
        transaction.set_rollback(True)
    left = {one.pk for one in made if one.slug not in ("c1", "c4")}
    left = set(sorted(with_all_above(left, up))[: limit or None])
    assert got == sorted(with_all_above(left, up))


def with_all_above(keys, up):
    """Those of which every row above is among them, too; a circle is all right."""
    while lost := {key for key in keys if up[key] is not None and up[key] not in keys}:
        keys = keys - lost
    return keys


@RUNS
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.lists(st.none() | st.integers(0, 5), max_size=6), names)
def test_tables_that_need_one_another_hold_no_reference_to_a_row_that_is_not_there(declare, owners, employers, name):
    declare(Person, employer=Firm)
    declare(Firm, owner=Person)
    with transaction.atomic():
        made = [Person.objects.create(name="abcd"[number % 4]) for number in range(6)]
        firms = [Firm.objects.create(name=f"f{number}", owner=made[one]) for number, one in enumerate(owners)]
        for one, employer in zip(made, employers, strict=False):
            if employer is not None:
                Person.objects.filter(pk=one.pk).update(employer=firms[employer % len(firms)])
        works = dict(Person.objects.values_list("pk", "employer_id"))
        owns = dict(Firm.objects.values_list("pk", "owner_id"))
        got = chosen([ImportJob(model=Person, query=Person.objects.exclude(name=name)), ImportJob(model=Firm)], 0)
        transaction.set_rollback(True)
    people = {one.pk for one in made if one.name != name}
    there = set(owns)
    while True:
        before = len(people), len(there)
        people = {key for key in people if works[key] is None or works[key] in there}
        there = {key for key in there if owns[key] in people}
        if before == (len(people), len(there)):
            break
    assert (got["shop.Person"], got["shop.Firm"]) == (sorted(people), sorted(there))


@given(st.text(max_size=20), st.text(max_size=5), st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_sample_is_inside_a_greater_one(key, seed, one, other):
    small, great = sorted([one, other])
    assert not is_sampled(key, seed, small) or is_sampled(key, seed, great)


def test_a_sample_is_about_as_large_as_its_share():
    assert 130 < sum(is_sampled(str(number), "7", 0.015) for number in range(10_000)) < 170


def test_a_row_that_points_nowhere_is_left_out_of_a_whole_table_where_no_constraint_is_said_to_look(monkeypatch):
    monkeypatch.setattr(Person._meta.get_field("country"), "db_constraint", False)
    Country.objects.create(code="DE", name="")
    free, bound = Person.objects.create(), Person.objects.create(country_id="DE")
    orphan = Person.objects.create(country_id="XX")
    found = chosen([ImportJob(Country), ImportJob(Person)], 0)
    # The test's own database looks after all.
    orphan.delete()
    assert found["shop.Person"] == [free.pk, bound.pk]
