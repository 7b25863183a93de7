"""Importers: declared once per model, checked when they are declared."""

import pytest

from isekai_core.errors import PlanError
from isekai_core.slicing import Importer, ImportJob, constant, fake, hashed
from isekai_core.slicing.importer import check_targets, importer_of, importers
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Customer, Order, Person, Shop, Tenant


def declare(model_, module="shop.importers", **columns):
    body = {"model": model_, "__module__": module, "__qualname__": f"{model_.__name__}Importer"}
    return type(f"{model_.__name__}Importer", (Importer,), body | {"Columns": type("Columns", (), columns)})


def test_an_importer_is_found_by_its_model():
    declared = declare(Shop, tenant=Tenant)
    assert importer_of(Shop) is declared
    assert list(importers()) == [declared]
    assert (declared.parents(), declared.masks()) == ({"tenant": Tenant}, {})


def test_an_abstract_base_is_no_importer_and_gives_its_columns(shop_importers):
    assert {importer.label() for importer in importers()} == {
        f"shop.{name}" for name in ("Tenant", "Shop", "Customer", "Product", "Order", "OrderItem")
    }
    assert importer_of(Order).parents() == {"tenant": Tenant, "shop": Shop, "customer": Customer}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"tennant": Tenant},
            r"ShopImporter.Columns.tennant: shop.Shop has no field 'tennant' \(did you mean 'tenant'",
        ),
        ({"name": Tenant}, "'name' is no foreign key of shop.Shop, but a CharField"),
        ({"tenant": Customer}, "shop.Shop.tenant points to shop.Tenant, not to shop.Customer"),
        ({"tenant": "Tenant"}, "a foreign key names the model it points to, shop.Tenant, got 'Tenant'"),
        ({"tenant": hashed}, "a foreign key names the model it points to, shop.Tenant, got hashed$"),
        ({"tenant": Tenant.objects.all()}, "shop.Tenant, got a queryset of shop.Tenant"),
        ({"name": Tenant.objects.all()}, "hashed, keep or a function, got a queryset of shop.Tenant"),
        ({"tenant": int}, "expected a model or a mask, got <class 'int'>"),
    ],
)
def test_what_does_not_fit_is_told_when_it_is_declared_and_is_not_there_then(columns, message):
    with pytest.raises(PlanError, match=message):
        declare(Shop, **columns)
    assert importer_of(Shop) is None


def test_a_many_to_many_field_is_no_column():
    told = (
        r"'labels' is no column of shop.Person; leave it out, and declare class PersonLabelsImporter\(Importer\)"
        r" with model = Person.labels.through"
    )
    with pytest.raises(PlanError, match=told):
        declare(Person, labels=Tenant)


def test_a_table_between_without_an_importer_is_told_with_how_to_reach_it():
    with pytest.raises(
        PlanError, match=r"declare class PersonLabelsImporter\(Importer\) with model = Person.labels.thr"
    ):
        plan_of([ImportJob(Person.labels.through)])


@pytest.mark.parametrize("slip", ["Colums", "columns", "modl"])
def test_a_class_of_another_name_is_a_slip_and_would_be_passed_over(slip):
    body = {"model": Shop, slip: type(slip, (), {"tenant": Tenant})}
    with pytest.raises(PlanError, match=rf"ShopImporter: unknown name '{slip}' \(did you mean '(Columns|model)'\?\)"):
        type("ShopImporter", (Importer,), body)
    assert importer_of(Shop) is None


@pytest.mark.parametrize(("mask", "call"), [(fake, r"fake\('name'\)"), (constant, r"constant\('x'\)")])
def test_a_mask_that_was_not_called_would_tell_the_value(mask, call):
    with pytest.raises(PlanError, match=rf"ShopImporter.Columns.name: {mask.__name__} is to be called: {call}"):
        declare(Shop, name=mask)


def test_what_is_no_model_is_refused():
    with pytest.raises(PlanError, match=r"expected a Django model that has a table, got 'shop.Shop'"):
        type("ShopImporter", (Importer,), {"model": "shop.Shop"})


def test_two_importers_for_one_model_are_refused():
    declare(Shop)
    with pytest.raises(
        PlanError, match=r"two importers for shop.Shop: shop.importers.ShopImporter and other.ShopImporter"
    ):
        declare(Shop, module="other")


def test_a_cell_that_is_run_again_takes_the_place_of_the_one_before():
    declare(Shop, module="__main__")
    second = declare(Shop, module="__main__", tenant=Tenant)
    assert importer_of(Shop) is second


def test_a_target_without_an_importer_is_told_with_what_to_write():
    declare(Shop, tenant=Tenant)
    with pytest.raises(
        PlanError, match=r"no importer for shop.Tenant: declare class TenantImporter\(Importer\) with model"
    ):
        check_targets([Shop])
    declare(Tenant)
    check_targets([Shop, Tenant])
