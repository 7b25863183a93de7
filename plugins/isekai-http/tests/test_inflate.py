import gzip
import zlib

import pytest
from isekai_http.inflate import PIECE, Inflater, is_gzip

TEXT = b"<p>one page of many</p>" * 20_000


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def inflate(coding: str, data: bytes, step: int) -> list[bytes]:
    inflater = Inflater(coding)
    pieces = [piece for start in range(0, len(data), step) for piece in inflater.feed(data[start : start + step])]
    inflater.finish()
    return pieces


@pytest.mark.parametrize("step", [1, 7, 1000, 10**9])
@pytest.mark.parametrize(
    ("coding", "data"),
    [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("deflate", raw_deflate(TEXT))],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_undoes_what_was_compressed_however_it_is_cut(coding, data, step):
    assert b"".join(inflate(coding, data, step)) == TEXT


@pytest.mark.parametrize("step", [1, 1000, 10**9])
def test_reads_a_gzip_file_of_several_members_and_ignores_padding(step):
    data = gzip.compress(b"one, ") + gzip.compress(b"two") + b"\x00" * 10
    assert b"".join(inflate("gzip", data, step)) == b"one, two"


def test_a_bomb_comes_out_in_small_pieces():
    bomb = gzip.compress(b"\x00" * 50_000_000)
    inflater = Inflater("gzip")
    sizes = [len(piece) for piece in inflater.feed(bomb)]
    assert max(sizes) <= PIECE
    assert sum(sizes) == 50_000_000


@pytest.mark.parametrize("length", [1, 11, 100])
def test_data_that_ends_too_early_is_noticed(length):
    inflater = Inflater("gzip")
    list(inflater.feed(gzip.compress(TEXT)[:length]))
    with pytest.raises(EOFError, match="the gzip data ends too early"):
        inflater.finish()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_data_of_another_kind_is_noticed(coding):
    with pytest.raises(zlib.error):
        list(Inflater(coding).feed(b"<html>not compressed at all</html>"))


def test_tells_gzip_by_its_first_bytes():
    assert is_gzip(gzip.compress(b"a"))
    assert not is_gzip(b"<urlset>")
