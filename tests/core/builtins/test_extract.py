"""The `file` extractor: the files of one folder, and never one outside it."""

import datetime as dt
import os
import tracemalloc

import pytest

from isekai_core.builtins.extract import FileExtractor, media_type_of
from isekai_core.errors import ExtractError
from isekai_core.types import Key, PayloadKind, ResourceView


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "root"
    path.mkdir()
    return path


def extract(root, value, **options):
    return FileExtractor(root=str(root), **options).extract(ResourceView(Key("file", value)))


def refused(root, value):
    with pytest.raises(ExtractError) as caught:
        extract(root, value)
    return str(caught.value)


def test_a_blob_comes_with_its_media_type_name_and_time(root):
    (root / "images").mkdir()
    (root / "images" / "A.PNG").write_bytes(b"\x89PNG\x00\xff")
    os.utime(root / "images" / "A.PNG", (1_700_000_000, 1_700_000_000))
    found = extract(root, "images/A.PNG")
    assert (found.payload.kind, found.payload.media_type) == (PayloadKind.BLOB, "image/png")
    assert found.payload.read() == b"\x89PNG\x00\xff"
    assert found.metadata == {
        "filename": "A.PNG",
        "modified": dt.datetime.fromtimestamp(1_700_000_000, dt.UTC),
    }


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("<p>é".encode(), "utf-8", "<p>é"),
        ("<p>é".encode("utf-8-sig"), "utf-8-sig", "<p>é"),
        ("<p>é".encode("utf-16"), "utf-16", "<p>é"),
        (b"<p>\xe9", "utf-8", "<p>\udce9"),
    ],
)
def test_text_is_read_by_its_byte_order_mark_else_utf_8(root, content, charset, text):
    (root / "a.html").write_bytes(content)
    payload = extract(root, "a.html").payload
    assert (payload.kind, payload.media_type, payload.charset) == (PayloadKind.TEXT, "text/html", charset)
    assert payload.text == text
    assert payload.read() == content


def test_the_charset_can_be_told_and_a_byte_order_mark_is_believed_more(root):
    (root / "a.txt").write_bytes(b"\xe9")
    (root / "b.txt").write_bytes("é".encode("utf-8-sig"))
    assert extract(root, "a.txt", charset="latin-1").payload.text == "é"
    assert extract(root, "b.txt", charset="latin-1").payload.text == "é"


def test_a_large_file_is_not_kept_in_memory(root):
    (root / "large.bin").write_bytes(b"x" * 20_000_000)
    tracemalloc.start()
    payload = extract(root, "large.bin").payload
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with payload.open() as file:
        assert file.read(3) == b"xxx"
    assert payload.size == 20_000_000
    payload.body.close()
    assert peak < 2_000_000


class TestOutside:
    """Nothing outside of the root is read, whatever the key says."""

    @pytest.mark.parametrize(
        "value",
        [
            "../secret.txt",
            "a/../../secret.txt",
            "/etc/passwd",
            "//etc/passwd",
            "C:\\secret.txt",
            "\\secret",
            "../root-2/a",
        ],
    )
    def test_a_path_that_leads_out(self, root, value):
        (root.parent / "secret.txt").write_text("secret")
        (root.parent / "root-2").mkdir()
        (root.parent / "root-2" / "a").write_text("secret")
        assert refused(root, value) == f"{value!r} is outside of the root {root}; a file key is a path relative to it"

    def test_the_path_of_the_root_itself_written_in_full(self, root):
        (root / "a.txt").write_text("a")
        assert "is outside of the root" in refused(root, str(root / "a.txt"))

    def test_a_symbolic_link_that_leads_out(self, root):
        (root.parent / "secret.txt").write_text("secret")
        (root / "link.txt").symlink_to(root.parent / "secret.txt")
        (root / "up").symlink_to(root.parent)
        assert "is outside of the root" in refused(root, "link.txt")
        assert "is outside of the root" in refused(root, "up/secret.txt")

    def test_a_symbolic_link_and_dots_that_stay_inside_are_followed(self, root):
        (root / "a").mkdir()
        (root / "a" / "b.txt").write_text("b")
        (root / "link.txt").symlink_to(root / "a" / "b.txt")
        assert extract(root, "link.txt").payload.text == "b"
        assert extract(root, "a/../a/./b.txt").payload.text == "b"

    def test_a_root_that_is_a_link_itself(self, root):
        (root / "a.txt").write_text("a")
        (root.parent / "other").symlink_to(root)
        assert extract(root.parent / "other", "a.txt").payload.text == "a"

    def test_a_nul_in_a_key_that_was_made_otherwise(self, root):
        key = Key("file", "a.txt")
        object.__setattr__(key, "value", "a\x00.txt")
        with pytest.raises(ExtractError, match="is outside of the root"):
            FileExtractor(root=root).extract(ResourceView(key))


class TestUnusable:
    """Files that cannot be brought."""

    def test_missing(self, root):
        assert refused(root, "a.txt") == f"'a.txt' cannot be read below {root}: No such file or directory"

    def test_a_folder(self, root):
        (root / "a").mkdir()
        assert refused(root, "a") == f"'a' below {root} is a folder, not a file"
        assert refused(root, ".") == f"'.' below {root} is a folder, not a file"

    def test_empty(self, root):
        (root / "a.txt").touch()
        assert refused(root, "a.txt") == f"'a.txt' below {root} is empty (0 bytes)"

    def test_a_pipe_that_would_never_end(self, root):
        os.mkfifo(root / "pipe")
        assert refused(root, "pipe") == f"'pipe' below {root} is no ordinary file"

    def test_a_link_to_itself(self, root):
        (root / "loop").symlink_to(root / "loop")
        assert refused(root, "loop").startswith(f"'loop' cannot be read below {root}: ")

    def test_a_name_that_is_too_long_for_the_disk(self, root):
        assert "File name too long" in refused(root, "a" * 5000)

    def test_a_file_below_a_file(self, root):
        (root / "a.txt").write_text("a")
        assert "Not a directory" in refused(root, "a.txt/b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "nowhere/at/all"}, "root: expected a folder that exists, got nowhere/at/all (in /"),
        ({"root": ".", "charset": "utf-9"}, "charset: expected the name of a text encoding"),
    ],
)
def test_options_that_cannot_be_right_are_refused_when_the_pipeline_is_composed(options, message):
    with pytest.raises(ValueError) as caught:
        FileExtractor(**options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.htm", "text/html"),
        ("a.JPG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.svg", "image/svg+xml"),
        ("a.pdf", "application/pdf"),
        ("a.json", "application/json"),
        ("a.md", "text/markdown"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.tar.gz", "application/gzip"),
        ("a.xml.bz2", "application/x-bzip2"),
        ("a.unheard-of", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_the_media_type_is_told_by_the_name(name, media_type):
    assert media_type_of(name) == media_type


@pytest.mark.parametrize("name", ["a.json", "a.xhtml", "a.css", "a.xml"])
def test_what_is_made_of_text_is_brought_as_text(root, name):
    (root / name).write_text("{}")
    assert extract(root, name).payload.kind is PayloadKind.TEXT
