from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest

from archiver.retry_after import LONGEST_WAIT, wait_of
from archiver.sink import Broken, Busy
from archiver.sinks.webhook import WebhookSink, identity, signature
from engine.events import Alert, Emission, Metric, Tags, decode_emissions
from tests.archiver.sinks.receiver import CERTIFICATE, Receiver, says

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "engine": "e1"})


def alert(name: str = "EngineSilent", time: int = NOON, *, firing: bool = True, repeat: bool = False) -> Alert:
    """Make an alert as the archive has it."""
    return Alert(name, time, firing, "critical", 1.5, "sïlent", "engine-silent", TAGS, {"since": 60}, repeat)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen for alerts."""
    with Receiver() as listening:
        yield listening


def names(receiver: Receiver) -> list[str]:
    """Name the alerts in the order in which they came."""
    return [json.loads(one.body)["name"] for one in receiver.received]


def test_a_change_is_one_post_in_the_form_of_the_archive(receiver: Receiver) -> None:
    """The body is the alert as the archive writes it and its identity; the headers say who sends what."""
    change = alert()
    refused = WebhookSink(f"{receiver.url}?to=me").write([change])

    (received,) = receiver.received
    body = json.loads(received.body)
    assert refused == []
    assert received.line == "POST /alerts?to=me HTTP/1.1"
    assert decode_emissions(received.body) == [change]
    assert body["identity"] == received.headers["Idempotency-Key"] == identity(change)
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["User-Agent"] == "Manometer-Webhook/1"
    assert received.headers["Host"] == receiver.address
    assert "Manometer-Signature" not in received.headers


def test_metrics_and_repeats_are_not_sent(receiver: Receiver) -> None:
    """Only what begins or ends leaves; what is only said again, and numbers, do not."""
    sink = WebhookSink(receiver.url)
    sink.write(
        [Metric("records_total", NOON, 1.0, TAGS), alert("A"), alert("B", repeat=True), alert("A", firing=False)]
    )
    sink.write([])

    assert names(receiver) == ["A", "A"]
    assert [json.loads(one.body)["state"] for one in receiver.received] == ["firing", "resolved"]


def test_the_key_is_name_tags_time_and_state(receiver: Receiver) -> None:
    """What a person may reword, or another order of the tags, is the same change; all else is another one."""
    change = alert()
    turned = Alert("EngineSilent", NOON, True, "info", None, "other", "other", {"engine": "e1", "workflow": "lstm"})
    others = [
        alert("EngineError"),
        alert(time=NOON + 1),
        alert(firing=False),
        Alert("EngineSilent", NOON, True, "critical", tags={"workflow": "lstm"}),
        Alert("EngineSilent", NOON, True, "critical"),
    ]

    assert identity(turned) == identity(change)
    assert len({identity(one) for one in [change, *others]}) == 1 + len(others)


def test_a_signature_can_be_checked_with_the_secret(receiver: Receiver) -> None:
    """It is the HMAC-SHA256 of time, dot and body, and the time is now."""
    before = int(time.time())
    WebhookSink(receiver.url, secret=b"s3cret").write([alert()])

    (received,) = receiver.received
    seconds, digest = (part.partition("=")[2] for part in received.headers["Manometer-Signature"].split(","))
    expected = hmac.new(b"s3cret", f"{seconds}.".encode() + received.body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert before <= int(seconds) <= time.time()
    assert signature(b"s3cret", received.body, int(seconds)) == f"t={seconds},v1={expected}"


def test_order_holds_when_one_in_the_middle_fails(receiver: Receiver) -> None:
    """What follows the failed one waits; the next try goes on with it, and sends again nothing that was taken."""
    receiver.plan(says(204), says(503))
    sink = WebhookSink(receiver.url)
    changes: list[Emission] = [alert("A"), alert("B"), alert("A", NOON + 1, firing=False)]
    with pytest.raises(Busy):
        sink.write(changes)
    before = names(receiver)
    sink.write(changes)

    assert before == ["A", "B"]
    assert names(receiver) == ["A", "B", "B", "A"]


def test_a_storm_comes_through_a_receiver_that_takes_few(receiver: Receiver) -> None:
    """A receiver that takes two and then asks for patience gets all of fifty, each accepted once, in order."""
    for _ in range(25):
        receiver.plan(says(200), says(200), says(429, Retry_After="0"))
    sink = WebhookSink(receiver.url)
    changes: list[Emission] = [alert(time=NOON + n) for n in range(50)]
    tries = 0
    while True:
        tries += 1
        try:
            sink.write(changes)
            break
        except Busy:
            continue

    assert tries == 25
    assert receiver.content() == changes
    assert len(receiver.received) == 50 + 24


def test_what_is_written_again_later_is_sent_again_with_its_key(receiver: Receiver) -> None:
    """Delivery is at least once: a write after a finished one is a new one."""
    sink = WebhookSink(receiver.url)
    sink.write([alert(), alert()])
    sink.write([alert()])

    assert [one.headers["Idempotency-Key"] for one in receiver.received] == [identity(alert())] * 2


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_alert_that_is_called_malformed_is_refused_and_the_rest_is_sent(status: int) -> None:
    """The answer is about this one body; its text is the reason, and it is asked for once."""
    with Receiver(says(status, b"no\n\x1b[31m such field"), says(204), says(500)) as receiver:
        sink = WebhookSink(receiver.url)
        changes: list[Emission] = [alert("A"), alert("B"), alert("C")]
        with pytest.raises(Busy):
            sink.write(changes)
        refused = sink.write(changes)

    (one,) = refused
    assert one.emission is changes[0]
    assert one.reason == f"{receiver.address} answers {status} (no [31m such field)"
    assert names(receiver) == ["A", "B", "C", "C"]


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_an_answer_that_says_later_is_busy(status: int) -> None:
    """The server, or what stands before it, has no time now."""
    with Receiver(says(status, b"come back", Retry_After="7")) as receiver, pytest.raises(Busy) as caught:
        WebhookSink(receiver.url).write([alert()])

    assert caught.value.after == 7.0
    assert str(caught.value) == f"{receiver.address} answers {status} (come back)"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "it does not accept us; check the secret and the URL"),
        (403, "it does not accept us; check the secret and the URL"),
        (404, "nothing there takes alerts; check the URL"),
        (405, "check that the URL takes a JSON object by POST"),
        (410, "check that the URL takes a JSON object by POST"),
        (415, "check that the URL takes a JSON object by POST"),
        (101, "check that the URL takes a JSON object by POST"),
    ],
)
def test_an_answer_that_no_retry_changes_is_broken(status: int, advice: str) -> None:
    """It would be the same for every alert, so none is thrown away, and a person is told what to look at."""
    with Receiver(says(status)) as receiver, pytest.raises(Broken) as caught:
        WebhookSink(receiver.url).write([alert()])

    assert str(caught.value) == f"{receiver.address} answers {status}: {advice}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """Whoever holds the URL decides where alerts go; the sentence names the place."""
    with Receiver() as other, Receiver(says(status, Location=other.url)) as receiver:
        with pytest.raises(Broken) as caught:
            WebhookSink(receiver.url).write([alert()])

        assert other.received == []
    assert str(caught.value) == (
        f"{receiver.address} answers {status}, a redirect to {other.url}: none is followed; "
        "give the URL that takes alerts itself"
    )


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment for other programs does not lead alerts elsewhere."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    WebhookSink(receiver.url).write([alert()])

    assert len(receiver.received) == 1


def test_certificates_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is told, nothing is sent; with its authority given it is taken."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with Receiver(encrypted=True) as receiver:
        with pytest.raises(Broken) as caught:
            WebhookSink(receiver.url).write([alert()])
        before = list(receiver.received)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        WebhookSink(receiver.url).write([alert()])
        with pytest.raises(Broken, match="not valid for 'localhost'"):
            WebhookSink(receiver.url.replace("127.0.0.1", "localhost")).write([alert()])

    assert str(caught.value).startswith(f"{receiver.address}: its certificate is not trusted: self")
    assert before == []
    assert receiver.content() == [alert()]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "http or https"),
        ("example.org/alerts", "http or https"),
        ("ftp://example.org/alerts", "http or https"),
        ("http:///alerts", "http or https"),
        ("http://example.org:0/", "http or https"),
        ("http://example.org/a b", "printable ASCII"),
        ("http://example.org/\r\nX-Evil: 1", "printable ASCII"),
        ("http://example.org/ü", "printable ASCII"),
        ("http://example.org:99999/", "Port out of range"),
        ("http://[::1/", "Invalid IPv6 URL"),
        ("http://a..b/", "expected a URL such as https://example.org/alerts: "),
        ("https://me:pass@example.org/", "a user or password in the URL is not sent"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_at_once(url: str, sentence: str) -> None:
    """It is told before there is an alert, and without the URL, which may hold a key."""
    with pytest.raises(Broken, match="webhook: ") as caught:
        WebhookSink(url)

    assert sentence in str(caught.value)
    assert "pass@" not in str(caught.value)


def test_what_json_cannot_hold_is_refused(receiver: Receiver) -> None:
    """Half characters and evidence that is no JSON are refused one by one; the rest is sent."""
    bad: list[Emission] = [
        Alert("A", NOON, True, "info", None, "half \ud800", "a", TAGS),
        Alert("A", NOON, True, "info", tags={"a": "\ud800"}),
        Alert("A", NOON, True, "info", None, "", "a", TAGS, {"what": object()}),
    ]
    refused = WebhookSink(receiver.url).write([alert("B"), *bad, alert("C")])

    assert [one.emission for one in refused] == bad
    assert all(one.reason.startswith("expected texts and evidence that JSON can hold") for one in refused)
    assert names(receiver) == ["B", "C"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("86400", LONGEST_WAIT),
        ("9" * 400, None),
        ("Wed, 01 Jul 2026 12:00:30 GMT", 30.0),
        ("Wednesday, 01-Jul-26 12:00:30 GMT", 30.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jul 2099 12:00:00 GMT", LONGEST_WAIT),
        ("Wed, 99 Jul 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(text: str | None, expected: float | None) -> None:
    """Both forms of the header are read, nothing asks for more than an hour, and nonsense asks for nothing."""
    assert wait_of(text, NOON / 1e6) == expected
