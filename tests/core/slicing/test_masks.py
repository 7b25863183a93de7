"""Masks: the same for the same value, unique where it must be, and nothing of the value or the secret is told."""

import random
import re
import subprocess
import sys
import threading
from uuid import UUID

import pytest
from django.core.validators import validate_email
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.errors import ExportError, PlanError
from isekai_core.slicing import DataSlicer, Importer, ImportJob
from isekai_core.slicing.csvtext import read_rows, write_rows
from isekai_core.slicing.decided import masks_of
from isekai_core.slicing.masking import masks_for
from isekai_core.slicing.masks import (
    as_mask,
    constant,
    describe,
    fake,
    hashed,
    keep,
    null,
)
from isekai_core.slicing.masktexts import fitted, is_mail, woven
from isekai_core.slicing.plan import plan_of
from isekai_core.slicing.secret import secret_of
from isekai_core.testing.shop.models import Country, Customer, Firm, Label, Person, Product, Tenant

SECRET = "a secret of the tests"
faker = Faker()


def declare(declared, **masks):
    """An importer with these masks."""
    columns = type("Columns", (), masks)
    return type(f"{declared.__name__}Importer", (Importer,), {"model": declared, "Columns": columns})


def plan_for(*declared):
    return plan_of([ImportJob(model=one) for one in declared])


def masked(declared, rows, *, header, secret=SECRET, plan=None):
    """The rows after the masks of their model."""
    change = masks_for(plan or plan_for(declared), secret)[declared._meta.label]
    result = list(read_rows(change(write_rows([header, *rows]))))
    assert result[0] == header
    return result[1:]


def values(declared, name, texts, **options):
    """One column's masked texts; the key is the number of the row."""
    rows = [[str(number), text] for number, text in enumerate(texts)]
    return [row[1] for row in masked(declared, rows, header=["id", name], **options)]


def test_the_same_value_has_the_same_mask_in_every_table_and_every_run():
    declare(Customer, email=fake("email"), first_name=fake("first_name"))
    declare(Person, name=fake("first_name"))
    first = values(Customer, "email", ["ann@x.org", "bob@x.org", "ann@x.org"])
    assert first[0] == first[2] != first[1]
    assert values(Customer, "email", ["bob@x.org", "ann@x.org"]) == [first[1], first[0]]
    assert values(Customer, "first_name", ["Ann"]) == values(Person, "name", ["Ann"])


def test_another_secret_makes_other_masks_and_none_makes_a_random_one(monkeypatch):
    declare(Customer, email=hashed)
    one, other = values(Customer, "email", ["a@x.org"]), values(Customer, "email", ["a@x.org"], secret="other")
    assert one != other
    monkeypatch.delenv("ISEKAI_SLICE_SECRET", raising=False)
    assert values(Customer, "email", ["a@x.org"], secret=None) != values(Customer, "email", ["a@x.org"], secret=None)


def test_the_secret_is_taken_from_the_option_then_from_the_environment_and_never_shown(monkeypatch):
    monkeypatch.setenv("ISEKAI_SLICE_SECRET", SECRET)
    assert secret_of().origin == "environment"
    assert secret_of("x").origin == "option"
    assert secret_of().digest("v") == secret_of(SECRET).digest("v")
    assert SECRET not in repr(secret_of()) + str(secret_of())
    monkeypatch.delenv("ISEKAI_SLICE_SECRET")
    assert secret_of().origin == "random"
    with pytest.raises(PlanError, match="ISEKAI_SLICE_SECRET"):
        secret_of("")


@pytest.mark.parametrize(
    ("mask", "written"),
    [
        (hashed, "hashed"),
        (null, "null"),
        (keep, "keep"),
        (fake("email", locale="de_DE"), "fake('email', locale='de_DE')"),
        (fake("name").even_null(), "fake('name').even_null()"),
        (constant("s3cret").even_null(), "constant(…).even_null()"),
        (as_mask(str.upper), "builtins.str.upper"),
    ],
)
def test_messages_show_a_mask_as_it_is_written(mask, written):
    assert repr(mask) == written


def test_masks_are_the_same_in_another_process():
    code = (
        "import django; django.setup()\n"
        "from isekai_core.slicing.masks import fake\n"
        "print(fake('name').make('x', bytes(range(32)), 'CharField'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == fake("name").make("x", bytes(range(32)), "CharField")


def test_a_unique_column_stays_unique_and_an_address_stays_one_within_its_length():
    declare(Customer, email=fake("email"))
    declare(Firm, name=constant("firm"))
    mails = values(Customer, "email", [f"person{number}@x.org" for number in range(3000)])
    assert len(set(mails)) == 3000
    for mail in mails:
        validate_email(mail)
        assert len(mail) <= 254
    names = values(Firm, "name", [f"f{number}" for number in range(500)])
    assert len(set(names)) == 500
    assert all(re.fullmatch(r"firm-[a-z2-7]{12}", name) for name in names)


@given(st.text(max_size=300), st.integers(20, 300), st.binary(min_size=32, max_size=32))
def test_a_woven_text_keeps_the_length_and_tells_hashes_apart(text, limit, digest):
    other = bytes(255 - byte for byte in digest)
    assert len(woven(text, digest, limit)) <= limit
    assert len(fitted(text, limit)) <= limit
    assert woven(text, digest, limit) != woven(text, other, limit)


def test_texts_are_cut_to_the_length_of_their_column_and_links_stay_links():
    declare(Customer, phone=constant("1" * 100))
    assert values(Customer, "phone", ["5"]) == ["1" * 20]
    assert woven("https://x.org/", bytes(32), 200) == "https://x.org/aaaaaaaaaaaa"
    assert fitted("a" * 50 + "@example.com", 20) == "aaaaaaaaaaaaa@x.test"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a@b.c", True), ("a@..b", True), ("a@.b", False), ("a@b.", False), ("a@b.c d", False), ("a@b@c.d", False)],
)
def test_an_address_has_a_dot_within_its_domain(text, expected):
    assert is_mail(text) is expected


def test_a_long_text_of_dots_is_seen_to_be_no_address_at_once():
    assert not is_mail(f"a@{'.' * 2_000_000} ")


def test_a_unique_column_that_is_too_short_is_refused_rather_than_made_ambiguous():
    declare(Country, code=hashed)
    with pytest.raises(ExportError, match=r"shop\.Country\.code: .* cannot stay unique in 2 characters"):
        values(Country, "code", [f"{one}{two}" for one in "abcdefghij" for two in "abcdefghijklmnopqrstuvwxyz"])


def test_foreign_keys_to_a_masked_column_have_the_same_mask_without_saying_so():
    declare(Country, code=lambda value: value[::-1])
    declare(Person, country=Country)
    plan = plan_for(Person, Country)
    codes = masked(Country, [["1", "de"], ["2", "fr"]], header=["id", "code"], plan=plan)
    people = masked(Person, [["1", "fr"], ["2", None]], header=["id", "country_id"], plan=plan)
    assert people == [["1", codes[1][1]], ["2", None]]
    assert "<lambda>" in masks_of(Person)["country"]
    assert plan.table("shop.Person").column("country_id").mask == masks_of(Country)["code"]


def test_keys_that_are_masked_are_masked_where_they_are_pointed_to():
    declare(Label, id=hashed)
    declare(Person.labels.through, label=Label)
    through = Person.labels.through
    plan = plan_of([ImportJob(model=Label), ImportJob(model=through)])
    key = "00000000-0000-0000-0000-000000000001"
    (label,) = masked(Label, [[key, "x"]], header=["id", "name"], plan=plan)
    (link,) = masked(through, [["1", "1", key]], header=["id", "person_id", "label_id"], plan=plan)
    assert label[0] == link[2] != key
    assert UUID(label[0]).version == 4


def test_null_stays_null_unless_the_mask_says_otherwise_and_an_empty_text_is_no_null():
    declare(Person, name=constant("somebody"), born=constant("1970-01-01"), notes=constant({"x": 1}).even_null())
    rows = [["1", "", None, None], ["2", "Ann", "2001-02-03", "[]"]]
    result = masked(Person, rows, header=["id", "name", "born", "notes"])
    assert result == [["1", "somebody", None, '{"x": 1}'], ["2", "somebody", "1970-01-01", '{"x": 1}']]


def test_an_empty_text_has_nothing_to_hide_from_fakes_and_hashes():
    declare(Customer, phone=fake("phone_number"), email=hashed)
    assert values(Customer, "phone", [""]) == [""]
    assert values(Customer, "email", [""]) == [""]


def test_null_is_a_mask_for_columns_that_may_be_null_only():
    declare(Person, born=null)
    assert values(Person, "born", ["2000-01-01", None]) == [None, None]
    with pytest.raises(PlanError, match=r"Columns\.email: the mask null is for columns that may be NULL"):
        declare(Customer, email=null)


def test_hashes_keep_the_type_of_their_column():
    declare(Customer, email=hashed, phone=hashed)
    assert re.fullmatch(r"[a-z2-7]{24}@example\.com", values(Customer, "email", ["ann@x.org"])[0])
    assert re.fullmatch(r"[a-z2-7]{20}", values(Customer, "phone", ["555"])[0])
    declare(Person, notes=hashed, portrait=hashed)
    assert re.fullmatch(r'"[a-z2-7]{24}"', values(Person, "notes", ['{"a": 1}'])[0])
    assert re.fullmatch(r"\\x[0-9a-f]{64}", values(Person, "portrait", ["\\x01"])[0])
    with pytest.raises(PlanError, match=r"Columns\.born: hashed makes texts"):
        declare(Person, born=hashed)


def test_only_tables_with_masks_have_a_function_and_keep_is_no_mask():
    declare(Customer, email=keep)
    declare(Tenant)
    plan = plan_for(Customer, Tenant)
    assert masks_for(plan, SECRET) == {}
    assert masks_of(Customer) == {}


def test_a_function_of_the_value_is_given_what_django_would_give():
    seen = []

    def older(born):
        seen.append(born)
        return born.replace(day=1)

    declare(Person, born=older, notes=lambda notes: {**notes, "x": None})
    result = masked(Person, [["1", "2001-02-03", '{"a": 1}']], header=["id", "born", "notes"])
    assert result == [["1", "2001-02-01", '{"a": 1, "x": null}']]
    assert seen[0].year == 2001


def test_a_bound_method_of_faker_is_called_under_a_seed_and_the_users_chance_goes_on():
    declare(Customer, email=faker.email, first_name=faker.unique.first_name)
    assert values(Customer, "email", ["a@x.org"] * 2 + ["b@x.org"]) == values(
        Customer, "email", ["a@x.org"] * 2 + ["b@x.org"]
    )
    assert values(Customer, "first_name", ["a"]) == values(Customer, "first_name", ["a"])
    other = Faker()
    other.seed_instance(1)
    expected = [other.name() for _ in range(2)]
    other.seed_instance(1)
    declare(Customer, email=other.email)
    got = [other.name()]
    values(Customer, "email", ["x@x.org"])
    assert [*got, other.name()] == expected


def test_a_function_without_arguments_is_called_under_a_seed_of_pythons_own_chance():
    declare(Customer, phone=lambda: str(random.randrange(10**9)), first_name=lambda: faker.first_name().upper())
    state = random.getstate()
    one, two = values(Customer, "phone", ["1", "2"])
    assert one != two
    assert values(Customer, "phone", ["2", "1"]) == [two, one]
    assert values(Customer, "first_name", ["1"]) == values(Customer, "first_name", ["1"])
    assert random.getstate() == state


def test_threads_do_not_disturb_one_another():
    declare(Customer, first_name=fake("name"), last_name=faker.name)
    change = masks_for(plan_for(Customer), SECRET)["shop.Customer"]
    rows = [[str(number), f"a{number}", f"b{number}"] for number in range(300)]
    results = []

    def run():
        results.append(b"".join(change(write_rows([["id", "first_name", "last_name"], *rows]))))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run()
    assert len(set(results)) == 1
    assert len(results) == 4


def test_options_and_locales_of_faker_are_passed_on():
    declare(Customer, email=fake("email", domain="shop.test"), first_name=fake("first_name", locale="ja_JP"))
    assert values(Customer, "email", ["a@x.org"])[0].endswith("@shop.test")
    assert not values(Customer, "first_name", ["Ann"])[0].isascii()


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (fake("emial"), "Faker has no provider 'emial' (did you mean 'email'?)"),
        (fake("name", locale="xx_XX"), "Faker knows no locale 'xx_XX'"),
        (fake("email", domian="x.org"), "fake('email', domian='x.org') cannot be had: TypeError: "),
    ],
)
def test_what_faker_does_not_have_is_told_with_its_column_when_a_plan_is_made(mask, told):
    declare(Customer, email=mask)
    for plan in (plan_for, lambda model: DataSlicer.plan(model.objects.filter(pk=1))):
        with pytest.raises(PlanError, match=re.escape(f"shop.Customer.email: {told}")):
            plan(Customer)


@pytest.mark.parametrize(
    ("model", "name", "mask", "told"),
    [
        (Customer, "email", null, "the mask null is for columns that may be NULL"),
        (Customer, "email", constant(None), "the mask constant is for columns that may be NULL"),
        (Customer, "email", lambda value, other: value, "needs value, other"),
        (Product, "price", hashed, "hashed makes texts, whole numbers and UUIDs, and no DecimalField"),
        (Product, "price", constant("cheap"), "constant makes nothing that a DecimalField can hold"),
        (Person, "born", constant(7), "constant makes nothing that a DateField can hold"),
        (Label, "id", constant("x"), "constant makes nothing that a UUIDField can hold"),
        (Label, "id", constant(UUID(int=1)), "constant cannot keep a unique UUIDField unique"),
    ],
)
def test_what_a_column_cannot_have_is_told_when_it_is_declared(model, name, mask, told):
    with pytest.raises(PlanError, match=rf"{model.__name__}Importer\.Columns\.{name}: .*{re.escape(told)}") as caught:
        declare(model, **{name: mask})
    assert "cheap" not in str(caught.value)


@pytest.mark.parametrize(("model", "name"), [(Product, "price"), (Person, "born")])
def test_a_fake_that_no_column_of_this_type_can_hold_is_told_when_a_plan_is_made(model, name):
    declare(model, **{name: fake("first_name").even_null()})
    with pytest.raises(PlanError, match=rf"shop\.{model.__name__}\.{name}: fake\('first_name'\) "):
        plan_of([ImportJob(model)])


def test_a_column_that_is_left_out_may_have_any_mask():
    declare(Customer, phone=fake("emial"))
    assert plan_of([ImportJob(Customer, exclude=["phone"])])


def test_a_run_of_a_plan_looks_again_before_anything_is_read(tmp_path):
    declare(Customer, email=keep)
    plan = plan_for(Customer)
    declare(Customer, email=fake("emial"))
    with pytest.raises(PlanError, match=r"shop\.Customer\.email: Faker has no provider 'emial'"):
        DataSlicer.run(DataSlicer.Orm(), DataSlicer.File(tmp_path / "cut"), plan, progress=False)
    assert not (tmp_path / "cut").exists()


def test_what_is_no_mask_is_told_when_it_is_declared():
    with pytest.raises(PlanError, match=r"Columns.email: expected a mask, such as fake\('email'\).*got 'x'"):
        declare(Customer, email="x")


def test_without_faker_the_message_says_how_to_get_it(monkeypatch):
    from isekai_core.slicing import seeded

    seeded._faker.cache_clear()
    monkeypatch.setitem(sys.modules, "faker", None)
    declare(Customer, email=fake("email"))
    with pytest.raises(PlanError, match="pip install faker"):
        masks_for(plan_for(Customer), SECRET)


def test_a_mask_that_raises_names_model_column_and_row_and_never_the_value():
    def bad(value):
        raise ValueError(value)

    declare(Customer, email=bad)
    with pytest.raises(ExportError) as caught:
        masked(Customer, [["7", "ann@x.org"]], header=["id", "email"])
    assert "shop.Customer.email: the row with the key 7: the mask" in str(caught.value)
    assert "raised ValueError" in str(caught.value)
    assert "ann" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("mask", "told"), [(lambda value: None, "gave NULL"), (lambda value: "x", "raised ValueError")]
)
def test_what_a_mask_makes_must_fit_its_column(mask, told):
    declare(Customer, created_at=mask)
    with pytest.raises(ExportError, match=rf"shop\.Customer\.created_at: .* {told}"):
        masked(Customer, [["7", "2026-01-02 03:04:05+00"]], header=["id", "created_at"])


def test_hostile_texts_pass_through_masks_as_they_are_meant():
    hostile = ['"', "a,b", "\n", "\\.", "%s", "%(x)s", "'; DROP TABLE x; --", "\\N", "NULL", "é\u2028", "\r\n", " "]
    declare(Person, name=lambda value: value)
    assert values(Person, "name", hostile) == hostile
    for text in hostile:
        declare(Person, name=constant(text))
        assert values(Person, "name", ["x"]) == [text]


def test_descriptions_for_the_manifest_tell_neither_secret_nor_constant():
    assert describe(fake("email", domain="x.org")) == "fake('email', domain='x.org')"
    assert [describe(one) for one in (constant("s3"), null, hashed, keep)] == ["constant", "null", "hashed", "keep"]
    assert describe(faker.email).endswith("Provider.email")
    assert "<lambda>" in describe(lambda value: value)
