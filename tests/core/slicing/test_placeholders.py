"""`slicing/placeholders.py`: small files that are what their suffix says."""

import io
import json
import re
import struct
import xml.etree.ElementTree as ET
import zipfile
import zlib

import pytest

from isekai_core.slicing.placeholders import placeholder


def test_a_png_is_one_pixel_whose_checksums_are_right():
    content = placeholder("a.png")
    assert struct.unpack(">II", content[16:24]) == (1, 1)
    place = 8
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        part = content[place + 4 : place + 8 + size]
        assert struct.unpack(">I", content[place + 8 + size : place + 12 + size]) == (zlib.crc32(part),)
        place += 12 + size


def test_a_pdf_says_where_its_objects_are():
    content = placeholder("a.pdf")
    start = int(re.search(rb"startxref\n(\d+)", content)[1])
    assert content[start:].startswith(b"xref\n0 4\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n $", content, re.MULTILINE), start=1):
        assert content[int(place) :].startswith(b"%d 0 obj" % number)


def test_other_kinds_are_what_they_say():
    assert ET.fromstring(placeholder("a.svg")).tag.endswith("svg")
    assert ET.fromstring(placeholder("a.xml")).tag == "placeholder"
    assert json.loads(placeholder("a.json")) == {}
    assert zipfile.ZipFile(io.BytesIO(placeholder("a.zip"))).namelist() == []
    assert len(placeholder("a.bmp")) == struct.unpack("<I", placeholder("a.bmp")[2:6])[0]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.docx", "a", "a.", ".png/a"])
def test_what_has_no_kind_that_is_known_is_empty(name):
    assert placeholder(name) == b""
