"""Slices of schemas that nobody thought of: what goes out comes in again, and every source cuts the same rows."""

from itertools import count

import pytest
from django.db import connections
from django.db.models import Count
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from memory_bundle import MemoryBundle, Told
from random_schemas import Tables, schemas

from isekai_core.errors import PlanError, SliceError
from isekai_core.slicing import DataSlicer, Importer, ImportJob, per
from isekai_core.slicing import importer as home
from isekai_core.slicing.plan import plan_of
from isekai_core.testing import database_settings, own_database
from isekai_core.types.slices import LoadChoice

SMALL, LARGE = "small", "large"
NUMBERS = count()


@pytest.fixture
def places(postgres_url, django_db_blocker, tmp_path, monkeypatch):
    """Two databases, and what reads and writes them: the portable way on both, and PostgreSQL's own."""
    monkeypatch.setattr(home, "_importers", {})
    default = connections.settings["default"]
    options = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "small.sqlite3"), "OPTIONS": {}}
    with own_database(postgres_url) as url, django_db_blocker.unblock():
        connections.settings[SMALL] = {**default, **options}
        connections.settings[LARGE] = {**default, **database_settings(url)}
        yield [
            (SMALL, DataSlicer.Orm(SMALL)),
            (LARGE, DataSlicer.Orm(LARGE)),
            (LARGE, DataSlicer.Postgres(url)),
        ]
        for alias in (SMALL, LARGE):
            connections[alias].close()
            del connections[alias]
            del connections.settings[alias]


def declare(tables, chance=lambda _: True):
    home._importers.clear()
    for model in tables.all:
        links = [field for field in model._meta.local_concrete_fields if field.is_relation]
        parents = {field.name: field.related_model for field in links if chance(field)}
        columns = type("Columns", (), parents)
        type(f"{model.__name__}Importer", (Importer,), {"model": model, "Columns": columns})


def cut(slicer, plan):
    bundle = MemoryBundle()
    slicer.export(plan, bundle, Told())
    return bundle


def meaning(tables, bundle):
    """The rows with names in the place of keys: the same, whatever the keys are."""
    keys = {model._meta.label: model._meta.pk.column for model in tables.all}
    names = {
        model._meta.label: {row[keys[model._meta.label]]: row["name"] for row in bundle.rows(model._meta.label)}
        for model in tables.models
        if model._meta.label in bundle.texts
    }
    found = {}
    for table in bundle.plans:
        rows = []
        for row in bundle.rows(table.model):
            for column in table.columns:
                if column.reference and column.reference.column == keys[column.reference.model]:
                    # One that leads nowhere stays as it is.
                    row[column.name] = names.get(column.reference.model, {}).get(row[column.name], row[column.name])
            rows.append(sorted((name, value or "") for name, value in row.items() if name != table.key))
        found[table.model] = sorted(rows)
    return found


# Few, as each makes tables in two databases; and as they are, since making one smaller would take minutes.
EXAMPLES = {"derandomize": True, "phases": [Phase.generate], "suppress_health_check": list(HealthCheck)}


def test_what_is_cut_out_comes_in_whole_and_out_again_the_same(places):
    @settings(max_examples=5, **EXAMPLES)
    @given(schema=schemas(), seed=st.integers(0, 2**16))
    def check(schema, seed):
        tables = Tables(schema, seed)
        with tables.within(SMALL, LARGE):
            declare(tables)
            plan = plan_of([ImportJob(model) for model in tables.all])
            bundles = [cut(slicer, plan) for _, slicer in places]
            assert bundles[0].texts == bundles[1].texts == bundles[2].texts
            for alias, slicer in places:
                goes_round(tables, alias, slicer, plan, bundles[0])

    check()


def goes_round(tables, alias, slicer, plan, bundle):
    """Under the same keys, the same files; under new ones, the same but for keys; again, nothing; and out again."""
    tables.empty(alias)
    slicer.load(bundle, LoadChoice(ids="keep", name=f"keep {slicer}"), Told())
    assert cut(slicer, plan).texts == bundle.texts
    tables.empty(alias)
    name = f"new {slicer} {tables.number}"
    loaded = slicer.load(bundle, LoadChoice(name=name), Told())
    assert {one.model: one.created for one in loaded} == bundle.counts
    after = cut(slicer, plan)
    assert meaning(tables, after) == meaning(tables, bundle)
    again = slicer.load(bundle, LoadChoice(name=name), Told())
    assert not any(one.created or one.updated for one in again)
    assert cut(slicer, plan).texts == after.texts
    if any(bundle.counts.values()):
        # Of an empty slice, nothing is remembered.
        slicer.unload(name)
    assert not any(cut(slicer, plan).counts.values())


def jobs_of(tables, draw):
    """Any jobs of these tables."""
    jobs = []
    for place, model in enumerate(tables.all):
        if draw(st.integers(0, 5)) == 0:
            continue
        links = [field.name for field in model._meta.local_concrete_fields if field.is_relation]
        free = [field.name for field in model._meta.local_concrete_fields if field.null]
        orders = st.lists(st.sampled_from(["pk", "-pk", *(["n", "-n", "name"] if place < len(tables.models) else [])]),
                          max_size=2, unique_by=lambda name: name.strip("-"))  # fmt: skip
        limits = []
        if draw(st.booleans()):
            limits.append(draw(st.integers(1, 6)))
        if links and draw(st.booleans()):
            limits.append(per(draw(st.sampled_from(links)), draw(st.integers(1, 3)), order_by=draw(orders)))
        query = None
        if place < len(tables.models) and draw(st.booleans()):
            query = draw(st.sampled_from([
                model.objects.filter(n__lt=4), model.objects.exclude(n=2), model.objects.filter(n__isnull=True),
                model.objects.order_by("-name").filter(name__lt="z"), model.objects.none(),
                *(model.objects.filter(**{f"{name}__n__gte": 2}).distinct() for name in links),
                *(model.objects.annotate(many=Count(name)).filter(many=1) for name in links),
                *(model.objects.filter(**{f"{name}__in": other.objects.filter(n__lt=3)})
                  for name in links[:1] for other in [model._meta.get_field(name).related_model]),
            ]))  # fmt: skip
        jobs.append(ImportJob(
            model, query=query, limit=limits or None, order_by=draw(orders),
            sample=draw(st.sampled_from([None, None, 0.5, 0.9])),
            exclude=free[: draw(st.integers(0, 1))] if not limits else (),
        ))  # fmt: skip
    return jobs


def test_every_source_cuts_the_same_rows_of_any_jobs(places):
    @settings(max_examples=8, **EXAMPLES)
    @given(schema=schemas(), seed=st.integers(0, 2**16), data=st.data())
    def check(schema, seed, data):
        tables = Tables(schema, seed)
        with tables.within(SMALL, LARGE):
            for _ in range(3):
                is_strict = data.draw(st.booleans())
                declare(tables, lambda _, is_strict=is_strict: is_strict or data.draw(st.booleans()))
                jobs = jobs_of(tables, data.draw)
                if jobs:
                    plan = plan_of(jobs, seed=data.draw(st.sampled_from(["0", "7"])))
                    bundles = [cut(slicer, plan) for _, slicer in places]
                    assert bundles[0].texts == bundles[1].texts == bundles[2].texts
                    if data.draw(st.booleans()):
                        loads_alike(tables, places, bundles[0], data.draw)

    check()


def loads_alike(tables, places, bundle, draw):
    """Every target makes the same of a bundle, or refuses it; in a database that is empty, or that has rows already."""
    choice = LoadChoice(
        ids=draw(st.sampled_from(["remap", "keep", "natural"])),
        on_conflict=draw(st.sampled_from(["update", "skip", "error"])),
        dangling=draw(st.sampled_from(["error", "null", "keep"])),
        name=f"{tables.number} {next(NUMBERS)}",
    )
    has_rows = draw(st.booleans())
    declare(tables)
    everything = plan_of([ImportJob(model) for model in tables.all])
    results = []
    for alias, slicer in places:
        tables.empty(alias)
        if has_rows:
            tables.fill(alias)
        try:
            counts = [(one.model, one.rows, one.created, one.updated) for one in slicer.load(bundle, choice, Told())]
        except SliceError as error:
            counts = type(error).__name__
        results.append((counts, meaning(tables, cut(slicer, everything))))
        tables.empty(alias)
        tables.fill(alias)
    assert results[0] == results[1] == results[2], choice


def relations(model):
    """The names that `follow` takes."""
    found = [field for field in model._meta.get_fields() if field.is_relation]
    return [field.get_accessor_name() if hasattr(field, "get_accessor_name") else field.name for field in found]


def test_every_source_takes_the_same_rows_with_what_they_need(places):
    @settings(max_examples=5, **EXAMPLES)
    @given(schema=schemas(), seed=st.integers(0, 2**16), data=st.data())
    def check(schema, seed, data):
        tables = Tables(schema, seed)
        with tables.within(SMALL, LARGE):
            home._importers.clear()
            root = data.draw(st.sampled_from(tables.models))
            rows = root.objects.filter(n__lt=data.draw(st.integers(2, 5)))
            follow = [name for name in relations(root) if data.draw(st.booleans())]
            try:
                plan = DataSlicer.plan(rows, follow=follow)
            except PlanError:
                pytest.fail(f"{follow} are relations")
            bundles = [cut(slicer, plan) for _, slicer in places]
            assert bundles[0].texts == bundles[1].texts == bundles[2].texts
            for alias, slicer in places:
                goes_round(tables, alias, slicer, plan, bundles[0])
            loads_alike(tables, places, bundles[0], data.draw)

    check()
