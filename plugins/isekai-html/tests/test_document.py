"""The document transformer: any file but a page or an image becomes a row."""

import pytest
from isekai_html.document import DocumentTransformer

from isekai_core.errors import TransformError
from isekai_core.types import BlobRef, Key, Payload, ResourceView, Spec, Transformer

PDF = b"%PDF-1.4 a document"
URL = "https://old.example.org/papers/tides%202026.pdf"


def view(payload, url=URL, **metadata):
    return ResourceView(Key("url", url), payload=payload, metadata=metadata)


def pdf(content=PDF, **options):
    return view(Payload.from_blob(content, "application/pdf"), **options)


def test_a_document_becomes_a_row_with_its_link_text_as_title():
    transformer = DocumentTransformer(
        "blog.Document",
        title="title",
        name="name",
        media_type="kind",
        size="size",
        source="source",
        match=["source"],
    )
    assert transformer.transform(pdf(title="Tide tables")) == Spec(
        "blog.Document",
        {
            "file": BlobRef(name="tides 2026.pdf"),
            "title": "Tide tables",
            "name": "tides 2026.pdf",
            "kind": "application/pdf",
            "size": len(PDF),
            "source": URL,
        },
        match=["source"],
    )


def test_only_the_fields_that_are_named_get_a_value():
    assert DocumentTransformer("blog.Document", file="upload").transform(pdf()).values == {
        "upload": BlobRef(name="tides 2026.pdf")
    }


def test_without_a_link_text_the_file_name_is_the_title():
    spec = DocumentTransformer("blog.Document", title="title").transform(view(Payload.from_text("a,b", "text/csv")))
    assert spec.values["title"] == "tides 2026.pdf"


def test_a_script_that_serves_a_document_gives_it_the_documents_suffix():
    spec = DocumentTransformer("blog.Document").transform(pdf(url="https://old.example.org/get.php?id=7"))
    assert spec.values == {"file": BlobRef(name="get.pdf")}


@pytest.mark.parametrize(
    "payload",
    [
        Payload.from_text("<p>", "text/html"),
        Payload.from_text("<p>", "application/xhtml+xml"),
        Payload.from_blob(b"\x89PNG", "image/png"),
        Payload.from_record({"a": 1}),
    ],
)
def test_pages_images_and_records_are_left_to_others(payload):
    assert DocumentTransformer("blog.Document").transform(view(payload)) is None


def test_what_is_taken_can_be_chosen_by_media_type_and_address():
    takes_text = DocumentTransformer("blog.Document", media_types=["text/*", "image/svg+xml"])
    assert takes_text.transform(view(Payload.from_text("a,b", "text/csv"))) is not None
    assert takes_text.transform(view(Payload.from_text("<svg>", "image/svg+xml"))) is not None
    assert takes_text.transform(view(Payload.from_text("<p>", "text/html"))) is None
    assert takes_text.transform(pdf()) is None
    papers = DocumentTransformer("blog.Document", include=["/papers/*"])
    assert papers.transform(pdf()) is not None
    assert papers.transform(pdf(url="https://old.example.org/other/a.pdf")) is None


def test_an_empty_file_is_refused():
    with pytest.raises(TransformError, match="expected a document, application/pdf, got an empty file"):
        DocumentTransformer("blog.Document").transform(pdf(b""))


def test_a_page_in_the_place_of_a_document_is_refused():
    with pytest.raises(TransformError, match="expected a document, application/pdf, got a web page"):
        DocumentTransformer("blog.Document").transform(pdf(b"\n<!DOCTYPE html><h1>Not found"))


def test_text_may_be_about_html():
    for media_type in ("text/plain", "application/xml"):
        payload = Payload.from_text("<html>", media_type)
        assert DocumentTransformer("blog.Document").transform(view(payload)) is not None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"model": "Document"}, "model: expected app_label.ModelName, got 'Document'"),
        ({"match": ["source"]}, "match: 'source' gets no value; the fields that do are file"),
        ({"include": [""]}, "include: expected a glob pattern"),
    ],
)
def test_options_that_cannot_be_are_refused(options, why):
    with pytest.raises(ValueError, match=why):
        DocumentTransformer(**({"model": "blog.Document"} | options))


def test_it_is_a_transformer_of_anything():
    assert isinstance(DocumentTransformer("blog.Document"), Transformer)
    assert DocumentTransformer.accepts == ("*",)
