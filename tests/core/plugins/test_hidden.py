"""`plugins/hidden.py`: what must not be shown is in nothing that is told."""

import pytest

from isekai_core.plugins import hidden
from isekai_core.plugins.hidden import hide, without_secrets


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch):
    monkeypatch.setattr(hidden, "_known", set())


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("s3cr3t-t0ken", "no such token: s3cr3t-t0ken"),
        ("s3cr3t-t0ken\n", f"Invalid header value {b'Bearer s3cr3t-t0ken' + bytes([10])!r}"),
        ("s3cr3t/t0ken", "https://old.example.org/?token=s3cr3t%2Ft0ken answers 403"),
        ({"Authorization": "Bearer s3cr3t-t0ken"}, "wrong: Bearer s3cr3t-t0ken"),
        (["unused", ("s3cr3t-t0ken",)], "wrong: s3cr3t-t0ken"),
        (b"s3cr3t-t0ken", "wrong: s3cr3t-t0ken"),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(secret, told):
    hide(secret)
    assert "s3cr3t" not in without_secrets(told)
    assert "***" in without_secrets(told)


def test_of_two_secrets_the_longer_one_is_not_told_by_half():
    hide(["s3cr3t-t0", "s3cr3t-t0ken"])
    assert without_secrets("it is s3cr3t-t0ken") == "it is ***"


@pytest.mark.parametrize("value", ["admin", "", None, 12345678, object()])
def test_what_is_short_or_no_text_is_hidden_from_nobody(value):
    hide(value)
    assert without_secrets("admin of 12345678") == "admin of 12345678"
