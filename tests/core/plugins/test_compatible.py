"""`plugins/compatible.py`: requirements on isekai-core and on plugins, met or not."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.plugins.compatible import fits, read_requirement, wanted_core


@pytest.mark.parametrize(
    ("requirement", "core"),
    [
        ("isekai-core", "0.1.0"),
        ("isekai-core>=0.1,<0.2", "0.1"),
        ("isekai-core<0.2,>=0.1", "0.1.9"),
        ("Isekai_Core >= 0.1", "0.10.0"),
        ("isekai-core (>=0.1)", "0.1.0"),
        ("isekai-core[testing]>=0.1", "0.1.0"),
        ("isekai-core==0.1", "0.1.0"),
        ("isekai-core==0.1.*", "0.1.7"),
        ("isekai-core~=0.1.2", "0.1.9"),
        ("isekai-core!=0.1.1", "0.1.2"),
        ("isekai-core>0.1", "0.1.1"),
        ("isekai-core<=0.1", "0.1.0"),
        ("isekai-core-extra>=9", "0.1.0"),
        ("Django>=9", "0.1.0"),
        ("isekai-core>=0.2", "0.2.0.dev1"),
        ("isekai-core>=0.2", "0.2rc1"),
    ],
)
def test_a_requirement_that_is_met_is_no_trouble(requirement, core):
    assert wanted_core([requirement], core) is None


@pytest.mark.parametrize(
    ("requirement", "core"),
    [
        ("isekai-core>=0.1,<0.2", "0.2.0"),
        ("isekai-core>=0.10", "0.9.0"),
        ("isekai-core (>=0.2)", "0.1.0"),
        ("isekai-core[testing]>=0.2", "0.1.0"),
        ("isekai-core==0.1", "0.1.1"),
        ("isekai-core==0.1.*", "0.2.0"),
        ("isekai-core~=0.1.2", "0.2.0"),
        ("isekai-core~=0.1.2", "0.1.1"),
        ("isekai-core!=0.1.1", "0.1.1"),
        ("isekai-core>0.1", "0.1.0"),
        ("isekai-core<=0.1", "0.1.1"),
        ("isekai-core>=9.0rc1", "0.1.0"),
        ("isekai-core>=9", "0.1.0.dev3"),
        ("isekai-core>=9; python_version > '3'", "0.1.0"),
    ],
)
def test_a_requirement_that_is_not_met_is_told(requirement, core):
    assert wanted_core(["Django>=5", requirement], core)


@pytest.mark.parametrize(
    ("requirement", "core"),
    [
        ("isekai-core>=9 ; extra == 'next'", "0.1.0"),
        ("isekai-core>=9; python_version < '3'", "0.1.0"),
        ("isekai-core>=>9", "0.1.0"),
        ("isekai-core @ https://example.org/isekai_core.whl", "0.1.0"),
        ("isekai-core>=9", ""),
    ],
)
def test_what_cannot_be_read_or_may_not_apply_is_taken_for_compatible(requirement, core):
    assert wanted_core([requirement], core) is None


def test_what_is_no_requirement_is_refused_with_an_example():
    with pytest.raises(ValueError, match=r"expected a requirement such as 'isekai-html>=0.1', got 'isekai-html 0.1'"):
        read_requirement("isekai-html 0.1")


def test_a_plugin_is_compared_with_what_a_pipeline_asks_for():
    assert fits(read_requirement("isekai-html>=0.1,<1"), "0.4")
    assert not fits(read_requirement("isekai-html>=0.5"), "0.4")
    assert fits(read_requirement("isekai-html>=0.5"), "built by hand")


def test_the_usual_form_is_compared_without_the_library():
    script = (
        "import sys; from isekai_core.plugins.compatible import wanted_core\n"
        "assert wanted_core(['isekai-core>=0.1,<0.2', 'isekai-core<1,>=0.0.9'], '0.1.0') is None\n"
        "assert 'packaging' not in sys.modules\n"
        "assert wanted_core(['isekai-core>=0.1.1,<0.2'], '0.1.0') == 'isekai-core>=0.1.1,<0.2'\n"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True)


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=4), st.lists(st.integers(0, 3), min_size=2, max_size=4), st.data()
)
def test_both_ways_of_comparing_agree(low, core, data):
    high = data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=4))
    lower, upper, version = (".".join(map(str, one)) for one in (low, high, core))
    text = f"isekai-core>={lower},<{upper}"
    assert (wanted_core([text], version) is None) == fits(read_requirement(text), version)
