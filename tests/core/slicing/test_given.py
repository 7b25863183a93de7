"""What is given to jobs and runs, and means nothing: refused, and never taken for something else."""

import pytest
from django.db.models import F, Model

from isekai_core.builtins.orm.database import Orm
from isekai_core.cli.main import main
from isekai_core.errors import PlanError
from isekai_core.slicing import DataSlicer, ImportJob, keep, per
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Order, OrderItem, Person, Shop, Tenant

HUGE = 10**30


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        *[({"limit": limit}, "shop.Order: limit is a number of at least 1, per") for limit in (
            0, -1, True, "5", 1.5, [], [1, "a"], [[1]], {"a": 1}, HUGE, per, object(), [per("customer", 1), None],
        )],
        *[({"sample": sample}, "shop.Order: sample is a share above 0 and up to 1") for sample in (
            True, 0, -0.1, 1.5, "0.5", float("nan"), float("inf"), [0.5],
        )],
        *[({"order_by": order}, "shop.Order: order_by: expected the name of a field") for order in (
            5, None, F("id"), [F("id")], {"id"}, ["id", 5],
        )],
        ({"order_by": "items"}, "'items' is no column of its table"),
        ({"order_by": "?"}, "has no field '?'"),
        ({"order_by": ""}, "has no field ''"),
        ({"order_by": "--id"}, "has no field '-id'"),
        ({"order_by": "customer__email"}, "has no field 'customer__email' (did you mean 'customer'?)"),
        ({"limit": per("items", 1)}, "'items' is no column of its table"),
        ({"limit": per("status", 1)}, "needs a foreign key, and 'status' is none"),
        ({"limit": per("customer", 1, order_by="items")}, "'items' is no column of its table"),
        *[({"exclude": exclude}, "shop.Order: exclude: expected the name of a field") for exclude in (
            5, None, [5], {"status": 1},
        )],
        ({"exclude": ["-status"]}, "has no field '-status' (did you mean 'status'?)"),
        ({"exclude": ["items"]}, "'items' is no column of its table"),
        ({"model": Model}, "expected a Django model"),
        ({"model": Order()}, "expected a Django model"),
        ({"model": "shop.Order"}, "expected a Django model"),
    ],
)  # fmt: skip
def test_what_a_job_cannot_mean_is_refused(arguments, told):
    with pytest.raises(PlanError) as caught:
        ImportJob(**{"model": Order, **arguments})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((None, 1), "expected the name of a foreign key, got None"),
        (("customer", "5"), "expected a number of at least 1, got '5'"),
        (("customer", HUGE), "expected a number of at least 1"),
        (("customer", True), "expected a number of at least 1, got True"),
    ],
)
def test_what_per_cannot_mean_is_refused(arguments, told):
    with pytest.raises(PlanError) as caught:
        per(*arguments)
    assert told in str(caught.value)


@pytest.mark.parametrize("order_by", [F("id"), [F("id").desc()], 5, None])
def test_an_expression_orders_no_children(order_by):
    with pytest.raises(PlanError, match=r"per\('customer', …\) order_by: expected the name of a field"):
        per("customer", 1, order_by=order_by)


def test_a_field_is_left_out_by_every_name_it_has(shop_importers):
    for name in ("employer", "employer_id"):
        assert ImportJob(Person, exclude=[name]).exclude == ("employer",)
    assert ImportJob(Order, exclude="status").exclude == ("status",)
    plan = plan_of([ImportJob(Order, exclude=("status", "tax_amount"))])
    assert not {"status", "tax_amount"} & {column.name for column in plan.tables[0].columns}
    for name in ("pk", "id", "customer_id"):
        with pytest.raises(PlanError, match="cannot be left out"):
            plan_of([ImportJob(Order, exclude=[name])])


ROWS = Tenant.objects.filter(pk=1)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: plan_of(ROWS), "jobs: expected a list of ImportJob objects, got a queryset of shop.Tenant"),
        (lambda: plan_of([ROWS]), "jobs: expected ImportJob objects, got a queryset of shop.Tenant"),
        (lambda: plan_of([Shop(pk=1)]), "jobs: expected ImportJob objects, got a row of shop.Shop"),
        (lambda: plan_of([{"rows": [ROWS]}]), "got {'rows': [a queryset of shop.Tenant]}"),
        (lambda: DataSlicer.plan([ROWS]), "plan(…): expected querysets such as Tenant.objects.filter(pk=1), got [a qu"),
        (lambda: DataSlicer.plan(Tenant.objects), "got a manager of shop.Tenant"),
        (lambda: DataSlicer.plan(ROWS, follow=ROWS), "follow: expected relations such as ['shop', 'shop__customer']"),
        (lambda: ImportJob(ROWS), "ImportJob(model=…): expected a Django model, got a queryset of shop.Tenant"),
        (lambda: ImportJob(Tenant, limit=ROWS), "per(…), or several of them, got a queryset of shop.Tenant"),
        (lambda: ImportJob(Tenant, sample=ROWS), "up to 1, got a queryset of shop.Tenant"),
        (lambda: ImportJob(Tenant, order_by=ROWS), "several of them, got a queryset of shop.Tenant"),
        (lambda: ImportJob(Tenant, exclude=ROWS), "several of them, got a queryset of shop.Tenant"),
        (lambda: per(ROWS, 1), "expected the name of a foreign key, got a queryset of shop.Tenant"),
        (lambda: plan_of([ImportJob(Tenant)], order=ROWS), "'sort' or 'refuse', got a queryset of shop.Tenant"),
    ],
)
def test_a_queryset_in_a_wrong_place_is_named_by_its_model_and_asks_no_database(shop_importers, make, told):
    """There is none here: a query would fail."""
    with pytest.raises(PlanError) as caught:
        make()
    assert told in str(caught.value)


class Unread(Orm):
    """A source that must not be read."""

    def export(self, *arguments, **options):
        msg = "it was read"
        raise AssertionError(msg)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *[({"workers": workers}, "workers: expected a number of at least 1") for workers in (
            0, -1, "2", 1.5, True, None, HUGE,
        )],
        ({"masks": "require"}, "masks: expected 'optional' or 'required', got 'require' (did you mean 'required'?)"),
        ({"masks": True}, "masks: expected 'optional' or 'required', got True"),
        ({"order": "sorted"}, "order: expected 'sort' or 'refuse', got 'sorted' (did you mean 'sort'?)"),
        ({"seed": "a\0b"}, "seed: expected a number or a text without NUL, got 'a\\x00b'"),
        ({"seed": "\ud800"}, "seed: expected a number or a text without NUL"),
        ({"seed": Tenant.objects.all()}, "without NUL, got a queryset of shop.Tenant"),
        ({"progress": None}, "progress: expected True, False or an object with begin, advance and end, got None"),
        ({"progress": print}, "progress: expected True, False or an object with begin"),
        ({"on_conflict": None}, "on_conflict: expected 'skip' or 'update' or 'error', got None"),
        ({"dangling": "nul"}, "dangling: expected 'error' or 'null' or 'keep', got 'nul' (did you mean 'null'?)"),
        ({"constraints": "drop"}, "constraints: expected 'check' or 'rebuild', got 'drop'"),
        ({"jobs": 5}, "jobs: expected a list of ImportJob objects, got 5"),
        ({"jobs": ImportJob(Tenant)}, "jobs: expected a list of ImportJob objects, got ImportJob(shop.Tenant"),
        ({"jobs": "abc"}, "jobs: expected ImportJob objects, got 'a'"),
        ({"jobs": []}, "a slice needs at least one job"),
    ],
)  # fmt: skip
def test_what_a_run_cannot_mean_is_refused_before_anything_is_read(shop_importers, tmp_path, options, told):
    arguments = {"jobs": [ImportJob(Tenant)], "progress": False, **options}
    with pytest.raises(PlanError) as caught:
        DataSlicer.run(Unread(), DataSlicer.File(tmp_path / "cut"), **arguments)
    assert told in str(caught.value)
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *[({"ids": {Tenant: keys}}, "ids: expected old and new keys of shop.Tenant, such as {1060: 10}") for keys in (
            5, [1, 2], {None: 1}, {1: None}, {1: True}, {1: 1.5}, {1: [2]}, None,
        )],
        ({"ids": {Tenant: {1: "a\0"}}}, "ids of shop.Tenant: expected a number or a text without NUL"),
        ({"ids": {5: {1: 1}}}, "ids: expected models as keys"),
        ({"ids": "remapped"}, "ids: expected 'remap' or 'keep' or 'natural', or a mapping of models, got 'remapped'"),
        ({"name": "a\0b"}, "name: expected a number or a text without NUL"),
        ({"name": "\ud800"}, "name: expected a number or a text without NUL"),
    ],
)  # fmt: skip
def test_what_a_load_cannot_mean_is_refused_before_the_bundle_is_looked_at(tmp_path, options, told):
    with pytest.raises(PlanError) as caught:
        DataSlicer.run(DataSlicer.File(tmp_path / "none"), Unread(), progress=False, **options)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DataSlicer.File(None),
        lambda: DataSlicer.File(5),
        lambda: DataSlicer.File(b"cut"),
        lambda: DataSlicer.File("cut", overwrite="no"),
        lambda: DataSlicer.Storage("default", 5),
        lambda: DataSlicer.Storage("default", "slices", overwrite="no"),
        lambda: DataSlicer.Orm(5),
        lambda: DataSlicer.Orm(None),
    ],
)
def test_what_a_place_cannot_be_is_refused_when_it_is_named(make):
    with pytest.raises(ValueError, match=r"^(path|overwrite|prefix|alias): expected .*got"):
        make()


@pytest.mark.django_db
def test_a_plan_is_no_way_around_masks_that_are_required(shop_importers, tmp_path):
    plan = DataSlicer.plan(Tenant.objects.all(), follow=["shop"])
    with pytest.raises(PlanError, match=r"nothing says what becomes of shop\.Tenant\.name, "):
        DataSlicer.run(Unread(), DataSlicer.File(tmp_path / "cut"), plan, masks="required", progress=False)
    assert not (tmp_path / "cut").exists()


JOBS = """
from isekai_core.slicing import DataSlicer
from isekai_core.testing.shop.models import Tenant

def derived():
    return DataSlicer.plan(Tenant.objects.all())
"""


@pytest.mark.django_db(transaction=True)
def test_the_command_requires_masks_of_plans_too(tmp_path, monkeypatch, capsys, isekai_importers):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slices.py").write_text(JOBS)
    arguments = ["slice", "export", "slices.py:derived", "--source", "default", "--target", "cut", "--require-masks"]
    assert main(arguments) != 0
    assert "nothing says what becomes of shop.Tenant.name, shop.Tenant.subdomain" in capsys.readouterr().err
    assert not (tmp_path / "cut").exists()
    isekai_importers(Tenant, name=keep, subdomain=keep)
    assert main(arguments) == 0


def test_what_is_given_right_is_taken(shop_importers):
    for limit in (1, [1], (5, per("customer", 2)), per("customer_id", 1, order_by=("-customer_id", "pk"))):
        ImportJob(Order, limit=limit, order_by=["-pk", "customer"], sample=1)
    plan = plan_of([ImportJob(Shop), ImportJob(OrderItem)], seed=None, order="refuse")
    assert plan.seed == "None"


ROOTS = {
    "none": (list, "a plan needs at least one queryset"),
    "a slice": (lambda: [Tenant.objects.all()[:2]], "cut by [:n]"),
    "a union": (lambda: [Tenant.objects.all().union(Tenant.objects.all())], "query is a union"),
    "a model": (lambda: [Tenant], "expected querysets"),
    "a list": (lambda: [[Tenant.objects.all()]], "expected querysets"),
    "a manager": (lambda: [Tenant.objects], "expected querysets"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ROOTS)
def test_what_cannot_be_the_roots_of_a_plan_is_refused(kind):
    make, told = ROOTS[kind]
    with pytest.raises(PlanError) as caught:
        DataSlicer.plan(*make())
    assert told in str(caught.value)


@pytest.mark.parametrize("follow", [5, [5], [None], {"shop": 1}.items()])
def test_what_cannot_be_followed_is_refused(follow):
    with pytest.raises(PlanError, match=r"follow: expected relations such as \['shop', 'shop__customer'\], got"):
        DataSlicer.plan(Tenant.objects.all(), follow=follow)


def test_one_relation_is_followed_as_a_list_of_it_is():
    plans = [DataSlicer.plan(Tenant.objects.all(), follow=follow) for follow in ("shop", ["shop"], {"shop"})]
    assert [[table.model for table in plan.tables] for plan in plans] == [["shop.Tenant", "shop.Shop"]] * 3


@pytest.mark.parametrize("source", ["default", None, Orm, object()])
def test_an_estimate_needs_a_database(shop_importers, tmp_path, source):
    with pytest.raises(PlanError, match="source: expected a slice source"):
        DataSlicer.estimate(source, [ImportJob(Tenant)])
    with pytest.raises(PlanError, match=r"source: expected a database, got .*what a bundle holds is in its manifest"):
        DataSlicer.estimate(DataSlicer.File(tmp_path), [ImportJob(Tenant)])
