"""`frames.py`: data out of the protocol's messages, wherever the blocks are cut, and whatever else the server says."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isekai_postgres.reading.frames import Frames, is_plain

END = b"C" + pack(">I", 11) + b"COPY 2\0" + b"Z" + pack(">I", 5) + b"T"
DONE = b"c" + pack(">I", 4)
SAID = b"Md\0\0\0\x07 is here\0\0\0"
NOTICE = b"N" + pack(">I", len(SAID) + 4) + SAID
BEGIN = b"H" + pack(">IBHH", 9, 0, 1, 0)


def message(data):
    return b"d" + pack(">I", len(data) + 4) + data


def taken(stream, sizes):
    """The data, how many messages had some, and what is left in the stream; blocks have these sizes, in turn."""
    frames, found, block, turn = Frames(), [], bytearray(max(sizes) + 4), 0
    stream = memoryview(stream)
    while not frames.is_over:
        start = len(frames.pending)
        block[:start] = frames.pending
        piece = stream[: sizes[turn % len(sizes)]]
        block[start : start + len(piece)] = piece
        data, end = frames.take(block, start + len(piece))
        found.append(data)
        stream, turn = stream[end - start :], turn + 1
    return b"".join(found), frames.rows, bytes(stream)


# What looks like a message, or like the cut of one, is in many of them.
rows = st.lists(
    st.text("d,c\n", max_size=9).map(str.encode) | st.binary(max_size=400).map(lambda b: b.replace(b"\0", b"d"))
)


@given(rows, st.lists(st.integers(1, 900), min_size=1, max_size=5), st.booleans())
def test_the_data_is_what_was_sent_wherever_blocks_are_cut(sent, sizes, has_notices):
    between = NOTICE if has_notices else b""
    stream = BEGIN + b"".join(between + message(row) for row in sent) + DONE + END
    assert taken(stream, sizes) == (b"".join(sent), len(sent), END)


@pytest.mark.parametrize("length", [0x64 - 4, 0x6400 - 4, 0x64_00_00 - 4, 0x01_01_01_01 - 4, 0x02_00_00_00])
def test_rows_of_every_length_even_where_a_length_reads_like_a_message_or_holds_no_nul(length):
    sent = [b"short\n", b"x" * length, b"d\n", b"y" * length, b"end\n"]
    stream = BEGIN + b"".join(map(message, sent)) + DONE + END
    data, number, rest = taken(stream, [128 * 1024])
    assert (number, rest) == (5, END)
    assert data == b"".join(sent)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 64])
def test_an_error_and_what_follows_it_are_left_to_the_library(size):
    error = b"E" + pack(">I", len(SAID) + 4) + SAID + END
    assert taken(BEGIN + message(b"1\n") + error, [size]) == (b"1\n", 1, error)


def test_only_the_protocol_itself_is_read():
    assert all(map(is_plain, b"HENSA"))
    tls_record, gssapi_packet = 0x17, 0
    assert not is_plain(tls_record)
    assert not is_plain(gssapi_packet)
