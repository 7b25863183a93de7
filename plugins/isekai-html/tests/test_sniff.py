"""What the first bytes say a file is."""

import pytest
from isekai_html.sniff import beginning_of, is_page, is_svg

from isekai_core.types import Payload


@pytest.mark.parametrize(
    "content",
    [
        *(b"<!DOCTYPE html><p>", b"\n <html>", b"<HTML lang='en'>", b"<!-- x --><!-- y -->\n<body>"),
        *(b"\xef\xbb\xbf<!doctype html>", b"<head><title>404"),
    ],
)
def test_pages_are_known(content):
    assert is_page(beginning_of(Payload.from_blob(content)))


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.4 <html>", b"<svg>", b"<htmlx>", b"text about <html>", b"<!--" * 1000]
)
def test_what_is_no_page_is_taken_for_none(content):
    assert not is_page(beginning_of(Payload.from_blob(content)))


@pytest.mark.parametrize(
    "content",
    [
        *(b"<svg/>", b"<svg xmlns='x'>", b"<?xml version='1.0'?>\n<!-- by hand --><svg>", b"\xef\xbb\xbf <SVG>"),
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">\n<svg:svg xmlns:svg="x">',
        b'<!DOCTYPE svg [ <!ENTITY a "b"> ]><svg>',
    ],
)
def test_vector_images_are_known(content):
    assert is_svg(beginning_of(Payload.from_blob(content)))


@pytest.mark.parametrize(
    "content", [b"", b"<html><svg>", b"<svgx>", b"\x89PNG", b"<!-- --> " * 5000 + b"x", b"<?" * 5000]
)
def test_what_is_no_vector_image_is_taken_for_none(content):
    assert not is_svg(beginning_of(Payload.from_blob(content)))
