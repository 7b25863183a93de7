"""`cli/output.py`: tables and JSON on standard output, remarks on standard error."""

import json

from isekai_core.cli.output import print_json, print_table, remark


def test_columns_are_as_wide_as_their_widest_cell_and_no_line_ends_with_spaces(capsys):
    print_table(("Name", "Count"), [("a", 1), ("a long one", ""), ("b", 22)])
    assert capsys.readouterr().out == "Name        Count\na           1\na long one\nb           22\n"


def test_a_table_without_rows_is_its_head(capsys):
    print_table(("Name", "Count"), [])
    assert capsys.readouterr().out == "Name  Count\n"


def test_json_is_one_document_in_ascii(capsys):
    print_json({"b": "é\ud800", "a": [1, None]})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"b": "é\ud800", "a": [1, None]}
    assert list(json.loads(out)) == ["b", "a"]


def test_a_remark_is_not_in_the_way_of_the_output(capsys):
    remark("careful")
    assert capsys.readouterr() == ("", "isekai: careful\n")
