from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPException

import pytest

from sensors.transport import Batch, Busy, Refused
from sensors.transports.http import Http
from tests.sensors.receiver import HANG, LATE, VANISH, Receiver, closed_port

BATCH = Batch("a1", b"e1", (b'{"n":1}', b'{"n":2}'))


def test_a_batch_is_posted_as_json_lines_with_its_identity() -> None:
    """One message a line, the key that makes repeating harmless, and the token."""
    with Receiver() as receiver, closing(Http(f"{receiver.url}?a=b", "s3cret")) as http:
        http.deliver(BATCH)
    (request,) = receiver.requests

    assert (request.path, request.body) == ("/topics/notify?a=b", b'{"n":1}\n{"n":2}\n')
    assert request.identity == "a1"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["Content-Type"] == "application/x-ndjson"


def test_the_connection_is_kept() -> None:
    """Batches follow each other over one connection, also after an answer that was no."""
    with Receiver([200, 503, 200]) as receiver, closing(Http(receiver.url)) as http:
        http.deliver(BATCH)
        with pytest.raises(Busy):
            http.deliver(BATCH)
        http.deliver(BATCH)

    assert len({request.connection for request in receiver.requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 301])
def test_no_for_ever(status: int) -> None:
    """What the receiver will not take however often it comes is refused, with its words."""
    with (
        Receiver([status]) as receiver,
        closing(Http(receiver.url)) as http,
        pytest.raises(Refused, match=rf"{status} .*taken"),
    ):
        http.deliver(BATCH)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_not_now(status: int) -> None:
    """What may be taken later is no refusal."""
    with Receiver([status]) as receiver, closing(Http(receiver.url)) as http, pytest.raises(Busy) as caught:
        http.deliver(BATCH)

    assert caught.value.after is None


@pytest.mark.parametrize(("text", "after"), [("7", 7.0), ("soon", None), ("-1", None), ("²", None)])
def test_the_receiver_may_say_when(text: str, after: float | None) -> None:
    """Retry-After in seconds is taken; what is not seconds is passed over."""
    answer = (429, {"Retry-After": text.encode().decode("latin-1")})
    with Receiver([answer]) as receiver, closing(Http(receiver.url)) as http, pytest.raises(Busy) as caught:
        http.deliver(BATCH)

    assert caught.value.after == after


@pytest.mark.parametrize("trouble", [HANG, VANISH, LATE])
def test_after_trouble_a_new_connection_is_made(trouble: str) -> None:
    """Whoever hangs, vanishes or closes instead of answering costs a bounded time, and the next try begins anew."""
    with Receiver([trouble, 200]) as receiver, closing(Http(receiver.url, timeout=0.3)) as http:
        begun = time.monotonic()
        with pytest.raises((OSError, HTTPException)):
            http.deliver(BATCH)
        http.deliver(BATCH)

    assert time.monotonic() - begun < 10
    assert len({request.connection for request in receiver.requests}) == 2


def test_nobody_listens() -> None:
    """A port that is closed is an OSError at once, each time."""
    http = Http(f"http://127.0.0.1:{closed_port()}/topics/notify")
    for _ in range(2):
        with pytest.raises(OSError, match="refused"):
            http.deliver(BATCH)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("ftp://127.0.0.1/topics/notify", None),
        ("http://127.0.0.1:8300", None),
        ("http:///topics/notify", None),
        ("http://user:word@127.0.0.1/topics/notify", None),
        ("http://127.0.0.1:99999/topics/notify", None),
        ("http://127.0.0.1:8300/topics/no tify", None),
        ("http://127.0.0.1:8300/topics/notify", ""),
        ("http://127.0.0.1:8300/topics/notify", "a\r\nX: y"),
        ("http://127.0.0.1:8300/topics/notify", "é"),
    ],
)
def test_what_is_no_address_or_token_is_refused_before_anything_is_sent(url: str, token: str | None) -> None:
    """A slip in the settings is told where they are given."""
    with pytest.raises(ValueError, match=r"expected|port|Port"):
        Http(url, token)
