"""The reader of examples reads what is there: a rule that is too weak would let a document lie."""

import documents
import pytest

PAGE = """# A page

<!-- quickstart:demo -->
```console
$ not read
```
<!-- /quickstart -->

<!-- file: blog/pipelines.py -->
```python
x = 1
```

1. In a list

   ```console
   $ echo one \\
       two
   one two
   $ true
   ```

```python
>>> 1 + 1
2
```

<!-- not run: it waits for a browser -->
```console
$ python manage.py runserver
```
"""


@pytest.fixture
def page(tmp_path):
    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_blocks_are_read_with_what_is_said_of_them(page):
    first, second, third, fourth = documents.blocks(page(PAGE))
    assert (first.mark, first.argument, first.text) == ("file", "blog/pipelines.py", "x = 1\n")
    assert second.commands == [("echo one \\\n    two", ["one two"]), ("true", [])]
    assert third.is_doctest
    assert (fourth.mark, fourth.argument) == ("not run", "it waits for a browser")


def test_a_mark_that_is_not_known_is_refused(page):
    with pytest.raises(ValueError, match="expected a comment that begins with one of file, add to"):
        documents.blocks(page("<!-- filee: a.py -->\n```python\n```\n"))


def test_output_before_the_first_command_is_refused(page):
    [block] = documents.blocks(page("```console\nhello\n```\n"))
    with pytest.raises(ValueError, match="a console block begins with a command, got 'hello'"):
        _ = block.commands


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a"], "a\n"),
        (["a", ""], "a\n\n"),
        (["run 1 took 0.34 seconds"], "run 1 took 12.01 seconds\n"),
        (["load   4  0.03"], "load   4  1,200.50\n"),
        (["  …  1 failed"], "  96a1  1 failed\n"),
        (["a", "…", "d"], "a\nb\nc\nd\n"),
        (["…"], ""),
    ],
)
def test_what_is_shown_may_differ_in_times_and_in_what_is_left_out(shown, printed):
    assert documents.pattern_of(shown).fullmatch(printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a"], "b\n"),
        (["a"], "a\nb\n"),
        (["a", "b"], "a\n"),
        (["run 1 took 0.34 seconds"], "run 2 took 0.34 seconds\n"),
        (["load  4  0.03"], "load  5  0.03\n"),
        (["a b"], "ab\n"),
        (["a.b"], "axb\n"),
        (["a", "…", "d"], "a\nb\nc\n"),
    ],
)
def test_what_is_shown_must_not_differ_in_anything_else(shown, printed):
    assert not documents.pattern_of(shown).fullmatch(printed)


def test_the_table_under_a_heading_is_read_without_its_head():
    page = "# One\n\n| a | b |\n|---|---|\n| `x \\| y` | z, `w` |\n\n## Two\n\n| c |\n|---|\n| d |\n"
    assert documents.table_under(page, "One") == [["x | y", "z, w"]]
    assert documents.table_under(page, "Two") == [["d"]]
