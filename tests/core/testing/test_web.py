"""The site of the kit: everything that a fetching test relies on, seen by a client that knows nothing of it."""

import http.client
import threading
from contextlib import closing

import pytest

from isekai_core.testing import Request, Response, running_site


def connect(site):
    return closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=10))


def get(site, path, method="GET", headers=None, body=None):
    with connect(site) as client:
        client.request(method, path, body=body, headers=headers or {})
        answer = client.getresponse()
        return answer.status, answer.read(), answer


def test_a_page_is_served_with_status_type_and_headers(site):
    site.pages["/a"] = Response("<p>é", status=201, headers={"X-Seen": "yes"})
    status, body, answer = get(site, "/a")
    assert (status, body) == (201, "<p>é".encode())
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Length"] == "5"
    assert answer.headers["X-Seen"] == "yes"


def test_text_and_bytes_are_pages_too(site):
    site.pages |= {"/text": "hello", "/bytes": b"\x00\xff"}
    assert get(site, "/text")[:2] == (200, b"hello")
    assert get(site, "/bytes")[:2] == (200, b"\x00\xff")


def test_what_is_not_there_is_a_404_and_is_counted(site):
    assert get(site, "/nowhere")[0] == 404
    assert (site.count("/nowhere"), site.count()) == (1, 1)


def test_a_list_of_responses_is_given_one_by_one_and_its_last_again_and_again(site):
    site.pages["/a"] = [Response(status=500), Response(status=503), Response("well")]
    assert [get(site, "/a")[0] for _ in range(4)] == [500, 503, 200, 200]


def test_a_function_answers_by_the_request(site):
    site.pages["/echo"] = lambda request: Response(
        f"{request.method} {request.headers['x-name']} {request.body.decode()}"
    )
    assert get(site, "/echo", "POST", {"X-Name": "Ada"}, "body")[1] == b"POST Ada body"


def test_a_query_is_looked_up_first_with_it_then_without(site):
    site.pages |= {"/a": "any", "/a?page=2": "second"}
    assert get(site, "/a?page=2")[1] == b"second"
    assert get(site, "/a?page=3")[1] == b"any"
    assert [seen.path for seen in site.requests] == ["/a?page=2", "/a?page=3"]


def test_head_gives_the_length_and_no_body(site):
    site.pages["/a"] = "hello"
    status, body, answer = get(site, "/a", "HEAD")
    assert (status, body, answer.headers["Content-Length"]) == (200, b"", "5")


def test_one_connection_serves_many_requests(site):
    site.pages["/a"] = "hello"
    with connect(site) as client:
        for _ in range(3):
            client.request("GET", "/a")
            assert client.getresponse().read() == b"hello"
    assert site.count("/a") == 3


def test_a_chunked_body_arrives_whole(site):
    site.pages["/a"] = Response("x" * 20_000, chunked=True)
    _, body, answer = get(site, "/a")
    assert (len(body), answer.headers["Content-Length"]) == (20_000, None)


def test_a_redirect_says_where_to(site):
    site.pages["/old"] = Response.redirect("/new", 301)
    status, _, answer = get(site, "/old")
    assert (status, answer.headers["Location"]) == (301, "/new")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_leaves_the_connection_usable(site, status):
    site.pages |= {"/none": Response(status=status), "/a": "hello"}
    with connect(site) as client:
        client.request("GET", "/none")
        assert client.getresponse().read() == b""
        client.request("GET", "/a")
        assert client.getresponse().read() == b"hello"


def test_a_connection_broken_at_once_gives_no_answer(site):
    site.pages["/a"] = Response("hello", broken="at once")
    with pytest.raises(http.client.RemoteDisconnected):
        get(site, "/a")


def test_a_connection_broken_in_the_body_gives_half_of_it(site):
    site.pages["/a"] = Response("x" * 1000, broken="in the body")
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(site, "/a")
    assert len(caught.value.partial) == 500


def test_a_chunked_body_that_breaks_is_seen_as_broken(site):
    site.pages["/a"] = Response("x" * 1000, broken="in the body", chunked=True)
    with pytest.raises(http.client.IncompleteRead):
        get(site, "/a")


@pytest.mark.parametrize("when", ["at once", "in the body"])
def test_a_stall_holds_the_connection_until_the_site_closes(when):
    with running_site() as site:
        site.pages["/a"] = Response("x" * 1000, stall=when)
        client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=0.2)
        client.request("GET", "/a")
        with closing(client), pytest.raises(TimeoutError):
            client.getresponse().read()
        assert site.count("/a") == 1


def test_requests_at_the_same_time_are_counted(site):
    together = threading.Barrier(3, timeout=10)

    def meet(_: Request) -> Response:
        together.wait()
        return Response("met")

    site.pages["/meet"] = meet
    clients = [threading.Thread(target=get, args=(site, "/meet")) for _ in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert site.most_at_once == 3


def test_no_thread_is_left_even_with_an_open_connection():
    before = threading.active_count()
    with running_site() as site:
        site.pages["/a"] = "hello"
        client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        client.request("GET", "/a")
        client.getresponse().read()
    client.close()
    assert threading.active_count() == before


def test_a_site_can_be_given_its_port():
    with running_site() as first:
        port = first.port
    with running_site(port) as second:
        assert second.url("/a") == f"http://127.0.0.1:{port}/a"
