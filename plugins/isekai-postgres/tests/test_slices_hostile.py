"""Hostile texts in filters, names and masks: what is cut out is what the ORM, or plain SQL, finds; nothing is run."""

import pytest
from django.db import models
from django.db.models import F, Q, Value
from isekai_postgres.slices import Postgres
from postgres_shared.hostile import HOSTILE, HOSTILE_NAMES
from psycopg import sql

from isekai_core.errors import ExportError, StagingError
from isekai_core.slicing import DataSlicer, ImportJob, constant
from isekai_core.slicing.csvtext import read_rows
from isekai_core.types.slices import TablePlan

LOOKUPS = ("contains", "icontains", "startswith", "iendswith", "iexact", "gt", "lte")


def declared(name, table, fields):
    """A model of these fields."""
    meta = type("Meta", (), {"app_label": "shop", "db_table": table})
    return type(name, (models.Model,), {"Meta": meta, "__module__": "shop.models", **fields})


@pytest.fixture
def notes(source, own_models, isekai_importers):
    """A row for each text."""
    model = declared("Note", "shop_note", {"text": models.TextField()})
    isekai_importers(model)
    source.create(model)
    source.save(model(id=number, text=text) for number, text in enumerate(HOSTILE, start=1))
    return model


def conditions(model, text, number):
    """A query that compares with `text` in several ways, one of them another each time."""
    lookup = Q(**{f"text__{LOOKUPS[number % len(LOOKUPS)]}": text, "pk__gt": 150})
    rows = model.objects.annotate(given=Value(text)).filter(Q(text=text) | Q(given=F("text")) | lookup)
    return rows.extra(where=["text <> %s OR text = %s"], params=[text, text])


def rows_of(folder, model):
    with (folder / f"{model._meta.label}.csv").open("rb") as file:
        header, *rows = read_rows([file.read()])
    return header, rows


def ends(source):
    return DataSlicer.Postgres(source.url), DataSlicer.Orm(source.alias)


def test_two_hundred_texts_are_different():
    assert len(HOSTILE) == len(set(HOSTILE)) == len(set(HOSTILE_NAMES)) == 200
    assert max(len(name.encode()) for name in HOSTILE_NAMES) <= 63


def test_filters_choose_what_the_orm_chooses(source, notes, memory_bundle):
    orm = DataSlicer.Orm(source.alias)
    for number, text in enumerate(HOSTILE):
        query = conditions(notes, text, number)
        expected = sorted(query.using(source.alias).values_list("pk", flat=True))
        assert number + 1 in expected
        assert source.cut(source.table(notes, queryset=query), seed=text).keys(notes) == expected
        assert source.cut(source.table(notes, queryset=query), postgres=orm).keys(notes) == expected
    assert source.sql("SELECT count(*) FROM shop_note") == [(200,)]


def test_every_text_goes_through_a_bundle_and_into_another_database(source, target, notes, tmp_path):
    target.create(notes)
    for name, end in zip(("postgres", "orm"), ends(source), strict=True):
        DataSlicer.run(end, DataSlicer.File(tmp_path / name), [ImportJob(notes)], progress=False)
        assert [text for _, text in rows_of(tmp_path / name, notes)[1]] == HOSTILE
    assert rows_of(tmp_path / "orm", notes) == rows_of(tmp_path / "postgres", notes)
    DataSlicer.run(DataSlicer.File(tmp_path / "orm"), DataSlicer.Postgres(target.url), ids="keep", progress=False)
    assert [text for (text,) in target.sql("SELECT text FROM shop_note ORDER BY id")] == HOSTILE
    DataSlicer.run(
        DataSlicer.File(tmp_path / "postgres"), DataSlicer.Orm(target.alias), ids="keep", name="x", progress=False
    )
    assert [text for (text,) in target.sql("SELECT text FROM shop_note ORDER BY id")] == HOSTILE


def test_masks_write_what_they_say(source, own_models, isekai_importers, tmp_path):
    fields = {f"c{number}": models.TextField(default="secret") for number in range(200)}
    wide = declared("Wide", "shop_wide", fields)
    isekai_importers(wide, **{f"c{number}": constant(text) for number, text in enumerate(HOSTILE)})
    source.create(wide)
    source.save([wide(id=1), wide(id=2)])
    for number, end in enumerate(ends(source)):
        DataSlicer.run(end, DataSlicer.File(tmp_path / str(number)), [ImportJob(wide)], progress=False)
        assert [row[1:] for row in rows_of(tmp_path / str(number), wide)[1]] == [HOSTILE, HOSTILE]
    manifest = (tmp_path / "0" / "manifest.json").read_text()
    assert "secret" not in manifest


def test_columns_may_be_called_anything(source, target, own_models, isekai_importers, tmp_path):
    table = 'wi"de %s %(a)s; --'
    fields = {f"c{n}": models.TextField(db_column=name) for n, name in enumerate(HOSTILE_NAMES)}
    wide = declared("Odd", table, fields)
    isekai_importers(wide)
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in HOSTILE_NAMES)
    made = sql.SQL("CREATE TABLE {} (id bigserial PRIMARY KEY, {})").format(sql.Identifier(table), columns)
    source.sql(made, sql.SQL("INSERT INTO {} (id) VALUES (1), (2)").format(sql.Identifier(table)))
    for name in HOSTILE_NAMES:
        source.sql(sql.SQL("UPDATE {} SET {} = {}").format(*map(sql.Identifier, (table, name)), sql.Literal(name)))
    # Django asks for no name with a dollar sign.
    asked = {f"c{n}": name for n, name in enumerate(HOSTILE_NAMES) if "$" not in name}
    job = ImportJob(wide, wide.objects.filter(**asked), limit=5, order_by="c5")
    DataSlicer.run(DataSlicer.Postgres(source.url), DataSlicer.File(tmp_path / "odd"), [job], progress=False)
    header, rows = rows_of(tmp_path / "odd", wide)
    assert header == ["id", *HOSTILE_NAMES]
    assert rows == [["1", *HOSTILE_NAMES], ["2", *HOSTILE_NAMES]]
    target.sql(made)
    DataSlicer.run(DataSlicer.File(tmp_path / "odd"), DataSlicer.Postgres(target.url), progress=False, name=table)
    whole = sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table))
    assert target.sql(whole) == [(1, *HOSTILE_NAMES), (2, *HOSTILE_NAMES)]
    DataSlicer.Postgres(target.url).unload(table)
    assert target.sql(whole) == []


def test_names_that_django_can_ask_for_go_through_the_orm(source, own_models, isekai_importers, tmp_path):
    names = [name for name in HOSTILE_NAMES if not set(name) & set('"%$')]
    assert len(names) > 100
    odd = declared(
        "Asked", "a'sked; -- \n", {f"c{n}": models.TextField(db_column=name) for n, name in enumerate(names)}
    )
    isekai_importers(odd)
    source.create(odd)
    source.save([odd(id=1, **{f"c{n}": name for n, name in enumerate(names)})])
    query = odd.objects.filter(**{f"c{n}": name for n, name in enumerate(names)})
    for number, end in enumerate(ends(source)):
        DataSlicer.run(end, DataSlicer.File(tmp_path / str(number)), [ImportJob(odd, query)], progress=False)
        assert rows_of(tmp_path / str(number), odd) == (["id", *names], [["1", *names]])


def test_tables_may_be_called_anything(source, own_models):
    model = declared("Any", "shop_any", {})
    plans = []
    for number, name in enumerate(HOSTILE_NAMES):
        identifier = sql.Identifier(name)
        source.sql(sql.SQL("CREATE TABLE {} AS SELECT {}::int AS id").format(identifier, sql.Literal(number)))
        key = source.table(model).columns
        plans.append(TablePlan(f"shop.T{number}", model, name, "id", key, sample=1.0, limit=2))
    bundle = source.cut(*plans, workers=2)
    assert [bundle.content[f"shop.T{number}"] for number in range(200)] == [b"id\n%d\n" % n for n in range(200)]


@pytest.mark.parametrize("name", ["here", '"here"', 'other"."there', '"other"."there"'])
def test_a_name_that_a_model_has_quoted_is_the_name_that_django_means(
    source, target, own_models, isekai_importers, name
):
    model = declared("Quoted", name, {"text": models.TextField()})
    isekai_importers(model)
    for end in (source, target):
        end.sql("CREATE SCHEMA other")
        end.create(model)
    source.save([model(id=1, text="a")])
    DataSlicer.run(DataSlicer.Postgres(source.url), DataSlicer.Postgres(target.url), [ImportJob(model)], progress=False)
    assert list(model.objects.using(target.alias).values_list("text", flat=True)) == ["a"]


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "a\udfff"])
def test_what_no_text_can_hold_is_refused_with_the_model(source, notes, text):
    for end in ends(source):
        query = notes.objects.filter(text=text)
        source.refuses(r"shop\.Note|orm:source", source.table(notes, queryset=query), postgres=end)
    with pytest.raises(ExportError, match="NUL"):
        source.cut(TablePlan("shop.Note", notes, "a\0b", "id", source.table(notes).columns))


def test_a_text_with_nul_from_another_database_is_refused_by_the_target(target, own_models):
    note = declared("Note", "shop_note", {"text": models.TextField()})
    target.create(note)
    told = target.refuses(StagingError, (note, b"id,text\n1,a\0b\n"))
    assert told.startswith("staging shop.Note: ")
    assert "line 2" in told


def test_services_and_aliases_are_names_and_no_options(source):
    for text in ("x' password='y", "x host=evil", "%s", "a\nb"):
        with pytest.raises(ExportError):
            Postgres(service=text).export(source.plan(), None, None)
        with pytest.raises(ValueError, match="DATABASES"):
            Postgres(alias=text)


SETTINGS = {
    "standard_conforming_strings": "off", "backslash_quote": "on", "escape_string_warning": "off", "array_nulls": "off",
    "quote_all_identifiers": "on", "bytea_output": "escape", "search_path": "public", "datestyle": "'SQL, DMY'",
    "intervalstyle": "sql_standard", "timezone": "'Asia/Tokyo'", "extra_float_digits": "-15", "xmloption": "document",
    "default_transaction_isolation": "'serializable'", "default_transaction_deferrable": "on",
    "client_encoding": "latin1", "row_security": "off", "lock_timeout": "1", "transform_null_equals": "on", "jit": "on",
}  # fmt: skip


def test_whatever_a_database_prefers_texts_mean_themselves(source, target, own_models, isekai_importers, tmp_path):
    fields = {"text": models.TextField(), "bytes": models.BinaryField()}
    model = declared("Preferred", '"public"."shop_preferred"', fields)
    isekai_importers(model)
    texts = [text for text in HOSTILE if "\\" in text or "'" in text or text in ("", "NULL")]
    for end in (source, target):
        end.create(model)
        for name, value in SETTINGS.items():
            end.sql(f"ALTER DATABASE {end.connection.info.dbname} SET {name} = {value}")
    source.save(model(id=n, text=text, bytes=text.encode()) for n, text in enumerate(texts))
    source.sql(f"ALTER DATABASE {source.connection.info.dbname} SET default_transaction_read_only = on")
    for text in texts[::2]:
        wanted = {text, f"{text}\\", f"\\' OR TRUE --{text}"}
        query = model.objects.filter(Q(text=text) | Q(text__in=wanted))
        found = source.cut(source.table(model, queryset=query), seed=text).keys(model)
        assert found == [number for number, one in enumerate(texts) if one in wanted]
    store, name = DataSlicer.File(tmp_path / "cut"), "a\\'; DROP TABLE public.shop_preferred; --"
    DataSlicer.run(DataSlicer.Postgres(source.url), store, [ImportJob(model)], progress=False)
    DataSlicer.run(store, DataSlicer.Postgres(target.url), name=name, ids="keep", progress=False)
    rows = target.sql("SELECT text, bytes FROM public.shop_preferred ORDER BY id")
    assert [(text, bytes(content)) for text, content in rows] == [(text, text.encode()) for text in texts]
    DataSlicer.Postgres(target.url).unload(name)
    assert target.sql("SELECT count(*) FROM public.shop_preferred") == [(0,)]
