from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from isekai_http.answers import failure, headers_of, is_downgrade, next_address, refusal, retry_after, shown

from isekai_core.errors import ExtractError, TemporaryError

URL = "https://old.example.org/a"
TIMEOUT = httpx.Timeout(30, connect=10)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_a_status_of_success_is_no_refusal(status):
    assert refusal(URL, httpx.Response(status)) is None


def test_a_status_without_a_name_is_told_by_its_number():
    assert str(refusal(URL, httpx.Response(599))) == f"{URL}: 599"
    assert str(refusal(URL, httpx.Response(299 + 200))) == f"{URL}: 499"


def test_the_reason_is_the_servers_own_cut_and_printable():
    response = httpx.Response(404, extensions={"reason_phrase": b"No\x1b[31m  such " + b"x" * 500})
    message = str(refusal(URL, response))
    assert message.startswith(f"{URL}: 404 No[31m such x")
    assert len(message) < 300


def test_a_message_never_shows_a_password():
    response = httpx.Response(404)
    assert (
        str(refusal("https://ada:s3cr3t@old.example.org/a", response)) == "https://…@old.example.org/a: 404 Not Found"
    )


def test_a_long_address_is_cut_in_messages():
    assert shown("http://a.org/" + "x" * 5000) == "http://a.org/" + "x" * 287 + "… (5013 characters)"
    assert shown("http://a.org/x@y") == "http://a.org/x@y"


@pytest.mark.parametrize(("header", "seconds"), [("0", 0), (" 120 ", 120), ("999999999", 999999999)])
def test_retry_after_in_seconds(header, seconds):
    assert retry_after(header) == seconds


def test_retry_after_as_a_date():
    date = datetime.now(UTC) + timedelta(minutes=10)
    assert retry_after(format_datetime(date, usegmt=True)) == pytest.approx(600, abs=30)
    assert retry_after(format_datetime(date.replace(tzinfo=None))) == pytest.approx(600, abs=30)


def test_retry_after_in_the_past_is_now():
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "1e9", "9" * 5000, "Wed, 99 Oct 2015 07:28:00 GMT", "²"])
def test_retry_after_that_says_nothing_is_none(header):
    assert retry_after(header) is None


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (httpx.ConnectTimeout("x"), TemporaryError, "no connection within 10 s (connect_timeout)"),
        (httpx.ReadTimeout("x"), TemporaryError, "the server sent nothing for 30 s (timeout)"),
        (httpx.ConnectError("refused"), TemporaryError, "the connection failed: refused"),
        (httpx.ReadError(""), TemporaryError, "the answer broke off: ReadError"),
        (httpx.ProxyError("no proxy"), TemporaryError, "the proxy of the environment failed: no proxy"),
        (httpx.UnsupportedProtocol("ftp"), ExtractError, "not an address that can be fetched: ftp"),
        (httpx.InvalidURL("port"), ExtractError, "not an address that can be fetched: port"),
    ],
)
def test_a_failure_is_told_by_what_can_be_done(error, kind, message):
    made = failure(URL, error, TIMEOUT)
    assert type(made) is kind
    assert str(made) == f"{URL}: {message}"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b", "https://old.example.org/b"),
        ("b?c#d", "https://old.example.org/b?c"),
        ("//new.example.org", "https://new.example.org/"),
        (" http://new.example.org/b c ", "http://new.example.org/b%20c"),
        ("https://new.example.org?x", "https://new.example.org/?x"),
        ("/é", "https://old.example.org/%C3%A9"),
        ("/%7ea", "https://old.example.org/%7ea"),
    ],
)
def test_a_redirect_leads_to_an_absolute_address(location, expected):
    response = httpx.Response(302, headers=[(b"Location", location.encode())])
    assert next_address(URL, response) == expected


def test_a_redirect_in_bytes_of_another_charset_is_sent_back_as_it_came():
    response = httpx.Response(302, headers=[(b"Location", b"/caf\xe9?q=\xfc")])
    assert next_address(URL, response) == "https://old.example.org/caf%E9?q=%FC"


def test_the_first_of_several_locations_counts():
    response = httpx.Response(302, headers=[(b"Location", b"/b"), (b"location", b"/c")])
    assert next_address(URL, response) == "https://old.example.org/b"


def test_leaving_encryption_is_noticed():
    assert is_downgrade("https://a.org/", "http://a.org/")
    assert not is_downgrade("http://a.org/", "https://a.org/")
    assert not is_downgrade("https://a.org/", "https://b.org/")


def test_headers_are_found_by_their_lower_case_name():
    response = httpx.Response(200, headers=[(b"ETag", b'"\xe9"'), (b"X-One", b"1")])
    assert headers_of(response) == {"etag": '"é"', "x-one": "1"}
