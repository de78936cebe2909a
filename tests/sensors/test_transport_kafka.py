from __future__ import annotations

import asyncio
import logging
import ssl
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine.kafka.clients import Kafka as Clients
from engine.kafka.topics import Topic
from sensors import Engine
from sensors.transport import Batch, Busy, Refused
from sensors.transports.kafka import Kafka, at
from tests.kafka import cluster
from tests.sensors.receiver import closed_port
from tests.sensors.test_harmless import FORGOTTEN, run
from tests.services.broker import Broker
from tests.services.secured import USERS, Secured


@pytest.fixture
def topic(broker: Secured) -> str:
    """Make a topic of three partitions."""
    name = cluster.fresh("sensed")
    asyncio.run(Clients(broker.address).create([(Topic(name, 3), {})], 1))
    return name


def values(broker: Broker, topic: str) -> list[bytes | None]:
    """Read what lies on a topic."""
    return [message.value for message in cluster.messages(broker.address, topic)]


def test_a_batch_is_keyed_by_the_engine_and_in_order(broker: Secured, topic: str) -> None:
    """All messages of an engine lie on one partition, in the order in which they were sent."""
    batches = [Batch(f"b{number}", b"e1", (b"%d" % number, b"%d!" % number)) for number in range(5)]
    with closing(at(f"kafka://{broker.address}/{topic}")) as kafka:
        for batch in batches:
            kafka.deliver(batch)
    found = cluster.messages(broker.address, topic)

    assert [one.value for one in found] == [message for batch in batches for message in batch.messages]
    assert {one.key for one in found} == {b"e1"}
    assert len({one.partition for one in found}) == 1


def test_the_same_batch_again_is_not_sent_again(broker: Secured, topic: str) -> None:
    """A batch that was not acknowledged in time is waited for at the next try; the brokers get it once."""
    batch = Batch("b1", b"e1", tuple(b"%d" % number for number in range(400)))
    with closing(Kafka(broker.address, topic)) as kafka:
        kafka.deliver(Batch("b0", b"e1", (b"first",)))
        kafka._timeout = 0.0005
        tries = 0
        while True:
            tries += 1
            try:
                kafka.deliver(batch)
                break
            except Busy:
                kafka._timeout *= 1.5

    assert tries > 1
    assert values(broker, topic) == [b"first", *batch.messages]


def test_what_is_too_large_for_the_topic_is_refused(broker: Secured) -> None:
    """However often it comes it will not be taken; the next batch is."""
    name = cluster.fresh("sensed")
    cluster.create(broker.address, name, max_message_bytes=1_000)
    with closing(Kafka(broker.address, name)) as kafka:
        with pytest.raises(Refused):
            kafka.deliver(Batch("b1", b"e1", (b"x" * 2_000,)))
        kafka.deliver(Batch("b2", b"e1", (b"y",)))

    assert values(broker, name) == [b"y"]


def test_a_topic_that_is_not_there_is_told_and_waited_for(broker: Secured, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever makes it later gets the batch; the client's own log says nothing meanwhile."""
    name = cluster.fresh("late")
    batch = Batch("b1", b"e1", (b"x",))
    with closing(Kafka(broker.address, name, timeout=1)) as kafka:
        with caplog.at_level(logging.DEBUG), pytest.raises(Busy, match=f"{name} not found"):
            kafka.deliver(batch)
        cluster.create(broker.address, name)
        for _ in range(10):
            try:
                kafka.deliver(batch)
                break
            except Busy:
                continue

    assert values(broker, name) == [b"x"]
    assert [one for one in caplog.records if one.name.startswith("aiokafka")] == []


def test_nobody_listens() -> None:
    """A closed port costs a bounded time, and says so."""
    with closing(Kafka(f"127.0.0.1:{closed_port()}", "t", timeout=2)) as kafka:
        begun = time.monotonic()
        with pytest.raises(Busy, match="Connect call failed"):
            kafka.deliver(Batch("b1", b"e1", (b"x",)))

    assert time.monotonic() - begun < 3


def test_a_password_over_tls(broker: Secured, topic: str) -> None:
    """The user needs the right to write; without it the batch is refused for ever."""
    tls = ssl.create_default_context(cafile=broker.certificate)
    words = {"tls": tls, "user": "sensors", "password": USERS["sensors"]}
    batch = Batch("b1", b"e1", (b"x",))
    with closing(Kafka(broker.sasl_ssl, topic, **words)) as kafka:  # type: ignore[arg-type]  # each has its type
        with pytest.raises(Refused, match="Authorization"):
            kafka.deliver(batch)
        broker.allow("sensors", [("topic", topic, "Write"), ("topic", topic, "Describe")])
        kafka.deliver(batch)

    assert values(broker, topic) == [b"x"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"servers": "localhost"}, "HOST:PORT"),
        ({"topic": ""}, "a topic"),
        ({"user": "me"}, "both a user and a password"),
        ({"user": "me", "password": "x"}, "open line"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(words: dict[str, str], told: str) -> None:
    """A slip in the settings is told where they are given."""
    with pytest.raises(ValueError, match=told):
        Kafka(**{"servers": "a:1", "topic": "t", **words})  # type: ignore[arg-type]  # some are wrong


@pytest.mark.parametrize(
    "address", ["kafka://a:1", "kafka://a:1/t/u", "kafka://me:x@a:1/t", "kafka://a:1/t?x=1", "http://a:1/t"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match="expected"):
        at(address)


def test_an_engine_reports_to_kafka(broker: Secured, topic: str) -> None:
    """All messages of an engine are there when its block has ended; a token belongs to HTTP."""
    with Engine("e1", to=f"kafka://{broker.address}/{topic}", model="lstm", report_every=0.05) as engine:
        engine.slot(0).record(10)

    assert engine.stats.sent == len(values(broker, topic)) >= 4
    assert engine.stats.waiting == engine.stats.refused == engine.stats.errors == 0
    with pytest.raises(ValueError, match="token"):
        Engine("e1", to=f"kafka://{broker.address}/{topic}", token="x")  # noqa: S106 - no secret


def test_a_model_goes_on_while_the_broker_is_away(tmp_path: Path) -> None:
    """Recording never waits, leaving waits for as long as it was told, and nothing is raised."""
    begun = time.monotonic()
    to = f"kafka://127.0.0.1:{closed_port()}/t"
    with Engine("e1", to=to, report_every=0.01, buffer=20, close_within=0.5) as engine:
        slot = engine.slot(0)
        for _ in range(20_000):
            slot.record()
        time.sleep(0.5)

    assert time.monotonic() - begun < 4
    assert engine.stats.sent == 0
    assert engine.stats.waiting <= 520  # the buffer, and the batch under way
    assert engine.stats.dropped > 0


def test_an_interpreter_ends_with_an_engine_that_was_forgotten() -> None:
    """Nobody stopped the engine and no broker is there: the process ends all the same, with exit code 0."""
    done = run(FORGOTTEN, f"kafka://127.0.0.1:{closed_port()}/t")

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
