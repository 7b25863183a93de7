"""The document transformer: any file but a page becomes a row."""

from isekai_html.document import DocumentTransformer

from isekai_core.types import BlobRef, Key, Payload, ResourceView

PDF = b"%PDF-1.4 a document"


def view(payload, url="https://old.example.org/papers/tides%202026.pdf", **metadata):
    return ResourceView(Key("url", url), payload=payload, metadata=metadata)


def test_a_document_becomes_a_row_with_its_link_text_as_title():
    transformer = DocumentTransformer("blog.Document", title="title", media_type="kind", size="size", match=("title",))
    spec = transformer.transform(view(Payload.from_blob(PDF, "application/pdf"), title="Tide tables"))
    assert spec.values == {
        "file": BlobRef(name="tides 2026.pdf"),
        "title": "Tide tables",
        "kind": "application/pdf",
        "size": len(PDF),
    }
    assert spec.match == ("title",)


def test_without_a_link_text_the_file_name_is_the_title():
    spec = DocumentTransformer("blog.Document", title="title").transform(view(Payload.from_text("a,b", "text/csv")))
    assert spec.values["title"] == "tides 2026.pdf"


def test_pages_and_records_are_left_to_others():
    transformer = DocumentTransformer("blog.Document")
    assert transformer.transform(view(Payload.from_text("<p>", "text/html"))) is None
    assert transformer.transform(view(Payload.from_record({"a": 1}))) is None


def test_only_keys_that_a_pattern_fits_are_taken():
    transformer = DocumentTransformer("blog.Document", keys=("*/papers/*",))
    payload = Payload.from_blob(PDF, "application/pdf")
    assert transformer.transform(view(payload)) is not None
    assert transformer.transform(view(payload, "https://old.example.org/other/a.pdf")) is None
