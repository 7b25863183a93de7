"""`slicing/csvtext.py`: PostgreSQL's CSV, byte for byte, with NULL and an empty text apart."""

import itertools
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.errors import BundleError
from isekai_core.slicing.csvtext import BLOCK, read_rows, split_header, write_rows
from isekai_core.testing.postgres import run_sql

PIECES = [
    "",
    "a",
    ",",
    '"',
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\.",
    ".",
    " ",
    "é",
    "😀",
    "\u2028",
    "\x85",
    "\x0b",
    "NULL",
    "\t",
]

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.lists(st.sampled_from(PIECES)).map("".join)
)
rows = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.none() | texts, min_size=width, max_size=width), max_size=6)
)


def pieces_of(content, size):
    return [content[start : start + size] for start in range(0, len(content), size)]


def read_slowly(content):
    """What PostgreSQL's documentation says, one character after the other."""
    found, row, field, was_quoted = [], [], "", False
    chars = iter(content.decode())
    for char in chars:
        after = char
        if char == '"':
            after, inside = read_quoted(chars)
            field, was_quoted = field + inside, True
        if after not in ",\n":
            field += after
            continue
        row.append(field if field or was_quoted else None)
        field, was_quoted = "", False
        if after == "\n":
            found.append(row)
            row = []
    return found


def read_quoted(chars):
    inside = ""
    for char in chars:
        if char != '"':
            inside += char
        elif (after := next(chars)) == '"':
            inside += '"'
        else:
            return after, inside
    raise AssertionError(inside)


@given(rows, st.integers(1, 12))
def test_rows_are_read_as_they_were_written_however_the_bytes_are_cut(given, size):
    content = b"".join(write_rows(given))
    assert list(read_rows(pieces_of(content, size))) == given


@given(rows)
def test_a_reader_that_takes_one_character_after_the_other_reads_the_same(given):
    content = b"".join(write_rows(given))
    assert read_slowly(content) == given
    assert list(read_rows([content])) == given


@given(rows)
def test_what_is_read_is_written_byte_for_byte(given):
    content = b"".join(write_rows(given))
    assert b"".join(write_rows(read_rows([content]))) == content


@given(st.binary(max_size=40) | st.lists(st.sampled_from(PIECES)).map("".join).map(str.encode))
def test_any_bytes_are_rows_or_a_bundle_error(content):
    with suppress(BundleError):
        found = list(read_rows([content]))
        # They are rows; their last newline may have been missing.
        assert list(read_rows(write_rows(found))) == found


def test_null_and_an_empty_text_stay_apart():
    assert list(read_rows([b'1,,""\n'])) == [["1", None, ""]]
    assert b"".join(write_rows([["1", None, ""]])) == b'1,,""\n'


@pytest.mark.parametrize("content", [b"\n", b'""\n', b'"\\."\n', b"x\n"])
def test_a_row_of_one_field_is_null_or_empty_or_the_end_mark_or_a_text(content):
    (row,) = read_rows([content])
    assert row == {b"\n": [None], b'""\n': [""], b'"\\."\n': ["\\."], b"x\n": ["x"]}[content]
    assert b"".join(write_rows([row])) == content


def test_the_last_row_needs_no_newline():
    assert list(read_rows([b"a,b\n1,", b"2"])) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,\xe9\n", "line 2 is not UTF-8: it holds the bytes e9"),
        ("a,b\n1,x\n".encode("utf-16"), "line 1 is not UTF-8: it holds the bytes ff"),
        (b'a,b\n1,x"y"\n', "row 2: a quote or a line's end is where none belongs: '1,x\"y\"'"),
        (b'a,b\n1,"x"y\n', "row 2: a quote or a line's end is where none belongs"),
        (b"a,b\r\n1,2\r\n", "row 1: a quote or a line's end is where none belongs"),
        (b'a,b\n1,"x\n2,y\n', "a quote is opened and never closed: '1,\"x"),
    ],
)
def test_what_is_not_this_csv_is_refused_with_its_place(content, told):
    with pytest.raises(BundleError) as caught:
        list(read_rows([content]))
    assert told in str(caught.value)


def test_a_text_that_utf8_cannot_hold_is_refused():
    with pytest.raises(BundleError, match=r"cannot be written as UTF-8: .*udc80"):
        list(write_rows([["1", "a\udc80"]]))


def test_blocks_hold_whole_rows():
    blocks = list(write_rows([str(number), "x" * 1000] for number in range(1000)))
    assert len(blocks) == -(-sum(map(len, blocks)) // BLOCK)
    assert all(block.endswith(b"\n") for block in blocks)


def test_memory_is_that_of_some_blocks_and_not_of_the_table():
    text = 'some "text"\nof two lines' * 20
    tracemalloc.start()
    try:
        rows = ([str(number), text] for number in range(30_000))
        size = sum(len(row[1]) for row in read_rows(write_rows(rows)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 30_000 * len(text)
    assert peak < size / 3


def test_a_text_of_many_lines_is_one_row_in_time_that_grows_with_it():
    text = "line\n" * 400_000
    content = b"".join(write_rows([["1", text], ["2", "after"]]))
    assert list(read_rows(pieces_of(content, 8192))) == [["1", text], ["2", "after"]]


def test_the_header_is_taken_apart_and_nothing_is_lost():
    content = b'id,"a\n""b"",",c\n1,2,3\n'
    for size in (1, 5, 100):
        names, chunks = split_header(pieces_of(content, size))
        assert names == ["id", 'a\n"b",', "c"]
        assert b"".join(chunks) == content


@pytest.mark.parametrize("chunks", [[], [b""], [b"id,name"], [b'"id\n'], [b"x" * (BLOCK + 1), b"\n"]])
def test_a_csv_without_a_header_is_refused(chunks):
    with pytest.raises(BundleError, match="a header with the names of the columns was expected"):
        split_header(chunks)


@pytest.mark.parametrize("names", [["\\."], ["id", 'a "name"; of words']])
def test_postgresql_writes_the_same_bytes_and_reads_them(postgres_database, tmp_path, names):
    values = [None, *("".join(pair) for pair in itertools.product(PIECES, repeat=2))]
    rest = ["x"] * (len(names) - 1)
    given = [row for value in values for row in ([value, *rest], [*rest, value])]
    content = b"".join(write_rows([names, *given]))
    (tmp_path / "given.csv").write_bytes(content)
    quoted = ", ".join('"{}"'.format(name.replace('"', '""')) for name in names)
    run_sql(
        postgres_database,
        f"CREATE TABLE t (number serial, {quoted.replace(', ', ' text, ', len(names) - 1)} text)",
        rf"\copy t ({quoted}) FROM '{tmp_path}/given.csv' (FORMAT csv, HEADER MATCH, ENCODING 'UTF8')",
        rf"\copy (SELECT {quoted} FROM t ORDER BY number) TO '{tmp_path}/got.csv' (FORMAT csv, HEADER)",
    )
    written = (tmp_path / "got.csv").read_bytes()
    assert written == content
    assert list(read_rows([written])) == [names, *given]
