import base64

import pytest
from isekai_http.identity import Identity, default_user_agent

SECRET = "s3cr3t"


def authorization(identity: Identity, url: str, **options) -> str | None:
    return identity.headers_for(url, **options).get("Authorization")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_without_options_nothing_but_who_and_what_is_sent():
    assert Identity().headers_for("https://old.example.org") == {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": default_user_agent(),
    }
    assert default_user_agent().startswith("isekai-http/0.")


def test_a_user_agent_goes_to_everyone():
    assert Identity(user_agent="mover/1").headers_for("https://anywhere.example")["User-Agent"] == "mover/1"


def test_headers_and_password_go_to_the_hosts_that_are_named():
    identity = Identity(headers={"X-Key": SECRET}, username="ada", password="pass:word", hosts=["Old.example.org"])
    sent = identity.headers_for("http://old.example.org:8080")
    assert sent["X-Key"] == SECRET
    assert sent["Authorization"] == basic("ada:pass:word")


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://old.example.org.evil.example", "https://x@evil.example"]
)
def test_headers_and_password_go_to_nobody_else(url):
    identity = Identity(headers={"X-Key": SECRET}, username="ada", password=SECRET, hosts=["old.example.org"])
    sent = identity.headers_for(url)
    assert "X-Key" not in sent
    assert sent.get("Authorization") != basic(f"ada:{SECRET}")


def test_a_star_means_every_host():
    assert Identity(headers={"X-Key": SECRET}, hosts=["*"]).headers_for("http://[::1]:80")["X-Key"] == SECRET


def test_an_ipv6_address_can_be_named():
    assert Identity(headers={"X-Key": SECRET}, hosts=["[::1]"]).headers_for("http://[::1]:80")["X-Key"] == SECRET


def test_a_password_in_the_address_is_sent_to_that_address():
    assert authorization(Identity(), "https://ada:p%40ss@old.example.org") == basic("ada:p@ss")


@pytest.mark.parametrize("name", ["Accept", "accept", "ACCEPT"])
def test_a_header_replaces_the_one_that_is_sent_otherwise_however_its_name_is_written(name):
    sent = Identity(headers={name: "text/html"}, hosts=["*"]).headers_for("https://old.example.org")
    assert [value for sent_name, value in sent.items() if sent_name.lower() == "accept"] == ["text/html"]


@pytest.mark.parametrize(
    "options", [{"headers": {"authorization": "Bearer t"}}, {"username": "ada", "password": SECRET}], ids=repr
)
def test_a_password_in_the_address_goes_before_what_is_given_for_its_host(options):
    sent = Identity(**options, hosts=["*"]).headers_for("https://eve:pw@old.example.org")
    assert {name: value for name, value in sent.items() if name.lower() == "authorization"} == {
        "Authorization": basic("eve:pw")
    }


def test_a_header_may_say_who_asks_in_another_way_than_by_password():
    sent = Identity(headers={"authorization": "Bearer t"}, hosts=["*"]).headers_for("https://old.example.org")
    assert sent["authorization"] == "Bearer t"
    assert "Authorization" not in sent


def test_nothing_secret_is_sent_once_a_redirect_left_encryption():
    identity = Identity(headers={"X-Key": SECRET}, username="ada", hosts=["old.example.org"])
    assert authorization(identity, "http://old.example.org", downgraded=True) is None
    assert "X-Key" not in identity.headers_for("http://old.example.org", downgraded=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"headers": {"X-Key": SECRET}}, "only to the hosts that are named: give hosts="),
        ({"username": "ada"}, "only to the hosts that are named: give hosts="),
        ({"password": SECRET}, "password is given without username"),
        ({"username": "a:b", "hosts": ["*"]}, "must not hold a colon"),
        (
            {"headers": {"authorization": SECRET}, "username": "ada", "hosts": ["*"]},
            "username and the header 'authorization' are two ways to say who asks; give one of them",
        ),
        (
            {"headers": {"X-Key": SECRET, "x-key": SECRET}, "hosts": ["*"]},
            "headers has one header twice, as 'X-Key' and as 'x-key'; give one of them",
        ),
        ({"headers": {"X Key": SECRET}, "hosts": ["*"]}, "not a name of a header: 'X Key'"),
        ({"headers": {"Host": SECRET}, "hosts": ["*"]}, "'Host' cannot be set here"),
        ({"headers": {"user-agent": SECRET}, "hosts": ["*"]}, "cannot be set here; use user_agent"),
        ({"headers": {"X-Key": f"{SECRET}\r\nX: y"}, "hosts": ["*"]}, "'X-Key' must be printable ASCII"),
        ({"user_agent": "a\nb"}, "user_agent must be printable ASCII"),
        ({"hosts": ["https://old.example.org"]}, "hosts are names such as 'old.example.org'"),
        ({"hosts": ["old.example.org:80"]}, "hosts are names such as 'old.example.org'"),
        ({"hosts": [""]}, "hosts are names such as 'old.example.org'"),
    ],
)
def test_what_cannot_be_right_is_refused_without_showing_a_secret(options, message):
    with pytest.raises(ValueError) as caught:
        Identity(**options)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


def test_secrets_are_not_in_the_repr():
    assert SECRET not in repr(Identity(headers={"X-Key": SECRET}, username="ada", password=SECRET, hosts=["*"]))


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("bücher.example", "http://xn--bcher-kva.example/"),
        ("BÜCHER.example", "http://xn--bcher-kva.example:8000/"),
        ("Old.Example.org.", "https://old.example.org/"),
    ],
)
def test_a_host_may_be_written_as_people_write_it(named, url):
    identity = Identity(username="ada", password="pw", hosts=[named])
    assert "Authorization" in identity.headers_for(url)
    assert "Authorization" not in identity.headers_for("http://new.example.org/")


def test_a_host_that_cannot_be_one_is_refused():
    with pytest.raises(ValueError, match="not a usable host name"):
        Identity(username="ada", hosts=["ü" * 70])
