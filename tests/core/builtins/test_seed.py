"""The `csv` seeder: what it gives, and what it says of files that are not what they should be."""

import csv
import datetime as dt
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as some

from isekai_core.builtins.seed import CsvSeeder
from isekai_core.errors import SeedError
from isekai_core.types import Key


@pytest.fixture
def seeds(tmp_path):
    """What a seeder gives for a file of that content, and the message that it ends with."""

    def run(content, **options):
        path = tmp_path / "keys.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found, message = [], None
        try:
            # What was given before an error is kept, so no list(…).
            found.extend(CsvSeeder(path=path, **options).seed())
        except SeedError as error:
            message = str(error).replace(str(path), "keys.csv")
        return found, message

    return run


def keys(found):
    return [str(seed.key) for seed in found]


def test_type_and_value_form_the_key_and_every_other_column_is_metadata(seeds):
    found, message = seeds("type,alt,value,note\nurl,A cat,https://old.example.org/a,\nfile,,a b.png, x \n")
    assert message is None
    assert [(seed.key, seed.metadata) for seed in found] == [
        (Key("url", "https://old.example.org/a"), {"alt": "A cat", "note": ""}),
        (Key("file", "a b.png"), {"alt": "", "note": " x "}),
    ]
    assert [seed.payload for seed in found] == [None, None]


def test_one_type_for_all_rows_needs_no_column(seeds):
    found, _ = seeds("value,type\nhttps://old.example.org/a,news\n", type="url")
    assert [(str(seed.key), seed.metadata) for seed in found] == [("url:https://old.example.org/a", {"type": "news"})]


def test_the_columns_may_have_other_names(seeds):
    found, _ = seeds("Kind, Address \nfile,a.png\n", type_column="Kind", value_column="Address")
    assert keys(found) == ["file:a.png"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_first_line(seeds, delimiter):
    found, message = seeds(
        f"type{delimiter}value{delimiter}note\nfile{delimiter}a.png{delimiter}1,2;3\n".replace("1,2;3", '"1,2;3"')
    )
    assert message is None
    assert [(str(seed.key), seed.metadata) for seed in found] == [("file:a.png", {"note": "1,2;3"})]


def test_the_delimiter_can_be_told(seeds):
    found, _ = seeds("type:value\nfile:a,b.png\n", delimiter=":")
    assert keys(found) == ["file:a,b.png"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_encoding_is_found_by_the_byte_order_mark_else_utf_8(seeds, encoding):
    found, message = seeds("type,value\nfile,é€.png\n".encode(encoding))
    assert (keys(found), message) == (["file:é€.png"], None)


def test_the_encoding_can_be_told(seeds):
    assert keys(seeds("type,value\nfile,é€.png\n".encode("cp1252"), encoding="cp1252")[0]) == ["file:é€.png"]
    assert keys(seeds("type,value\nfile,é.png\n".encode("utf-8-sig"), encoding="utf-8")[0]) == ["file:é.png"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(seeds, end):
    found, message = seeds(end.join(["type,value", "file,a", "file,b"]))
    assert (keys(found), message) == (["file:a", "file:b"], None)


def test_empty_rows_are_passed_over_and_short_rows_are_filled(seeds):
    found, message = seeds("type,value,note,more\n\n,,,\n  \nfile,a\n\n")
    assert message is None
    assert [(str(seed.key), seed.metadata) for seed in found] == [("file:a", {"note": "", "more": ""})]


def test_a_column_without_a_name_is_called_by_its_number(seeds):
    found, _ = seeds("type,value,,\nfile,a,x,\n")
    assert found[0].metadata == {"column 3": "x", "column 4": ""}


def test_a_file_with_only_a_header_gives_nothing(seeds):
    assert seeds("type,value\n") == ([], None)


def test_a_large_cell_is_read(seeds):
    found, message = seeds(f"type,value,body\nfile,a,{'x' * 300_000}\n")
    assert message is None
    assert len(found[0].metadata["body"]) == 300_000


class TestRecords:
    """Rows that are the data itself."""

    def test_each_row_becomes_a_record_payload_with_a_key_of_its_own(self, seeds):
        found, _ = seeds("sku,name\n7,Lamp\n8,Böse Uhr\n", records=True, value_column="sku")
        assert [(str(seed.key), seed.payload.record) for seed in found] == [
            ("row:keys/7", {"sku": "7", "name": "Lamp"}),
            ("row:keys/8", {"sku": "8", "name": "Böse Uhr"}),
        ]
        assert found[0].metadata == {}

    def test_the_keys_begin_with_the_name_where_one_is_given(self, seeds):
        found, _ = seeds("sku\n7\n", records=True, value_column="sku", name="orders-2024")
        assert keys(found) == ["row:orders-2024/7"]

    def test_files_of_one_name_in_two_folders_clash_until_one_has_a_name_of_its_own(self):
        first, second = CsvSeeder("2023/orders.csv", records=True), CsvSeeder("2024/orders.csv", records=True)
        (told,) = second.clashes([object(), first])
        assert told == (
            "the keys of both 2023/orders.csv and 2024/orders.csv begin with row:orders/, so that a row of one may be"
            " taken for a row of the other; give one of them another name, such as name='orders-2', or both the same"
            " where equal values mean the same row"
        )
        assert list(CsvSeeder("2024/orders.csv", records=True, name="orders-2").clashes([first])) == []

    @pytest.mark.parametrize(
        "options",
        [
            {"path": "2024/letters.csv", "records": True},
            {"path": "2024/orders.csv", "records": True, "type": "order"},
            {"path": "2024/orders.csv", "records": True, "name": "orders"},
            {"path": "2024/orders.csv"},
        ],
    )
    def test_others_do_not_clash_and_one_name_that_is_given_is_meant(self, options):
        assert list(CsvSeeder(**options).clashes([CsvSeeder("2023/orders.csv", records=True)])) == []

    def test_the_time_of_the_file_is_the_version_so_that_a_changed_file_is_looked_at_again(self, tmp_path):
        path = tmp_path / "rows.csv"
        path.write_text("value\n7\n")
        versions = []
        for second in (1_700_000_000, 1_700_000_001):
            os.utime(path, (second, second))
            versions += [seed.version for seed in CsvSeeder(path=str(path), records=True).seed()]
        assert versions[0] < versions[1]
        assert dt.datetime.fromisoformat(versions[0]) == dt.datetime.fromtimestamp(1_700_000_000, dt.UTC)


class TestBadRows:
    """The good rows are given; at the end the others are told, with their lines."""

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("file,", "column 'value' is empty"),
            ("file,  ", "column 'value' is empty"),
            (",a", "a key's type is a short lower-case word such as 'url', got ''"),
            ("URL,https://old.example.org/", "a key's type is a short lower-case word such as 'url', got 'URL'"),
            ("url,not a url", "a url key is an absolute http or https address, got 'not a url'"),
            ("file,a,b,c", "4 cells for 3 columns; is the delimiter, or a quote, inside a cell?"),
            ("file,a\x00b", "column 'value' holds a NUL character"),
            ("file,a,\x00", "column 'note' holds a NUL character"),
            ('file,"a"b', "',' expected after '\"'"),
        ],
    )
    def test_a_row_that_cannot_be_used_is_told_with_its_line(self, seeds, row, reason):
        found, message = seeds(f"type,value,note\nfile,before,\n{row}\nfile,after,\n")
        assert keys(found) == ["file:before", "file:after"]
        assert message == f"keys.csv: 1 of 3 rows cannot be used: line 3: {reason}"

    def test_the_line_is_where_the_row_begins_when_cells_go_over_several(self, seeds):
        found, message = seeds('type,value,note\nfile,a,"one\ntwo\nthree"\nfile,,"x\ny"\n')
        assert keys(found) == ["file:a"]
        assert message == "keys.csv: 1 of 2 rows cannot be used: line 5: column 'value' is empty"

    def test_a_quote_that_is_never_closed_is_told_with_all_lines_that_it_took_along(self, seeds):
        rows = "".join(f"file,{number},x\n" for number in range(4, 1002))
        found, message = seeds("type,value,note\nfile,2,x\nfile,3,x\n" + rows.replace("file,4,x", 'file,4,"x'))
        assert keys(found) == ["file:2", "file:3"]
        assert message == (
            "keys.csv: 1 of 3 rows cannot be used: lines 4 to 1001: read as one cell, because a quote in line 4 is"
            " never closed; close it, or write it twice where it is part of the text"
        )

    def test_a_quote_that_is_never_closed_in_the_last_line_takes_nothing_along(self, seeds):
        found, message = seeds('type,value\nfile,a\nfile,"b\n')
        assert keys(found) == ["file:a"]
        assert message == (
            "keys.csv: 1 of 2 rows cannot be used: line 3: a quote is never closed;"
            " close it, or write it twice where it is part of the text"
        )

    def test_a_quote_that_another_row_closes_is_told_with_the_lines_between_them(self, seeds):
        found, message = seeds('type,value,note\nfile,2,x\nfile,3,"x\nfile,4,x\nfile,5,"x"\nfile,6,x\n')
        assert keys(found) == ["file:2", "file:6"]
        assert message == (
            "keys.csv: 1 of 3 rows cannot be used: lines 3 to 5: read as one row: ',' expected after '\"';"
            " is a quote in line 3 never closed?"
        )

    def test_of_many_the_first_are_named_and_all_are_counted(self, seeds):
        found, message = seeds("type,value\n" + "file,a\nfile,\n" * 1000)
        assert len(found) == 1000
        assert message.startswith("keys.csv: 1000 of 2000 rows cannot be used: line 3: ")
        assert message.count("line ") == 5
        assert message.endswith("line 11: column 'value' is empty; and 995 more")


class TestBadFiles:
    """Nothing can be given, or nothing more."""

    def test_missing(self, tmp_path):
        with pytest.raises(SeedError, match=r"nowhere.csv cannot be read: No such file or directory"):
            list(CsvSeeder(path=str(tmp_path / "nowhere.csv")).seed())

    def test_missing_below_where_the_command_was_started(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SeedError) as caught:
            list(CsvSeeder(path="nowhere.csv").seed())
        assert str(caught.value) == f"nowhere.csv (in {tmp_path}) cannot be read: No such file or directory"

    def test_a_folder(self, tmp_path):
        with pytest.raises(SeedError, match="cannot be read: Is a directory"):
            list(CsvSeeder(path=tmp_path).seed())

    def test_empty(self, seeds):
        assert seeds("") == (
            [],
            "keys.csv is empty: expected a first line that names the columns type, value",
        )

    def test_a_column_that_is_not_there_is_told_with_those_that_are(self, seeds):
        _, message = seeds("type,values,note\nfile,a,b\n")
        assert message == (
            "keys.csv has no column 'value' (did you mean 'values'?); it has type, values, note;"
            " see the options value_column, type_column, type and delimiter"
        )
        assert seeds("value\na\n")[1].startswith("keys.csv has no column 'type'; it has value;")

    def test_a_first_line_with_a_quote_that_is_never_closed(self, seeds):
        found, message = seeds('type,"value\nfile,a\nfile,b\n')
        assert found == []
        assert message == (
            "keys.csv: lines 1 to 3: read as one cell, because a quote in line 1 is never closed;"
            " close it, or write it twice where it is part of the text"
        )

    def test_two_columns_of_one_name(self, seeds):
        assert seeds("type,value,note,note\n") == ([], "keys.csv has two columns called 'note'")

    def test_an_encoding_that_it_does_not_keep_to_is_told_with_line_and_byte(self, seeds):
        rows = "type,value\n" + "file,a\n" * 3000
        found, message = seeds(rows.encode() + "file,é\n".encode("cp1252"))
        assert message == "keys.csv is not utf-8: line 3002, byte 21016 holds e9; see the option encoding"
        assert set(keys(found)) == {"file:a"}

    def test_an_encoding_that_is_wrong_from_the_first_line_on(self, seeds):
        assert seeds("type,value,é\n".encode("cp1252")) == (
            [],
            "keys.csv is not utf-8: line 1, byte 11 holds e9; see the option encoding",
        )

    def test_a_file_of_two_byte_characters_without_a_mark(self, seeds):
        found, message = seeds("type,value\nfile,a\n".encode("utf-16-le"))
        assert found == []
        assert message == "keys.csv line 1 holds NUL characters: this is no CSV file, or it needs another encoding"


class TestOptions:
    """Values that cannot be right are refused when the pipeline is composed."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"path": " "}, "path: expected the name of a CSV file, got an empty one"),
            ({"path": "a", "type": "URL"}, "a key's type is a short lower-case word such as 'url', got 'URL'"),
            ({"path": "a", "encoding": "utf-9"}, "encoding: expected the name of a text encoding"),
            ({"path": "a", "encoding": "base64"}, "encoding: expected the name of a text encoding"),
            ({"path": "a", "delimiter": ""}, "delimiter: expected a single character such as ';', got ''"),
            ({"path": "a", "delimiter": ",,"}, "delimiter: expected a single character such as ';', got ',,'"),
            ({"path": "a", "delimiter": '"'}, "delimiter: expected a single character"),
            ({"path": "a", "name": "b"}, "name: expected with records=True only, whose keys begin with it, got 'b'"),
            (
                {"path": "a", "records": True, "name": "2024/b"},
                "name: expected a text such as 'orders-2024', without slashes, got '2024/b'",
            ),
        ],
    )
    def test_are_told(self, options, message):
        with pytest.raises(ValueError) as caught:
            CsvSeeder(**options)
        assert str(caught.value).startswith(message)


def test_the_file_is_read_as_a_stream(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("type,value,note\n")
        file.writelines(f"file,{number},{'x' * 200}\n" for number in range(40_000))
    tracemalloc.start()
    count = sum(1 for _ in CsvSeeder(path=path).seed())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert path.stat().st_size > 8_000_000
    assert peak < 1_000_000


cells = some.text(some.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(some.lists(some.tuples(cells, cells), max_size=20))
def test_whatever_a_spreadsheet_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["value", "a", "b"])
        writer.writerows([str(number), *row] for number, row in enumerate(rows))
    found = list(CsvSeeder(path=path, type="row", delimiter=",").seed())
    assert [(seed.key.value, seed.metadata["a"], seed.metadata["b"]) for seed in found] == [
        (str(number), *row) for number, row in enumerate(rows)
    ]
