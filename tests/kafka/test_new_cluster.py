"""A cluster that nobody has used yet: it has no topic of offsets, and makes it when the first group is asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.kafka.asking_again import PAUSES, ready
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.looking import GroupSeen, group_seen
from tests.services.broker import Broker
from tests.services.running import Missing, absent


def test_the_first_group_of_a_cluster_can_be_asked_for(tmp_path: Path) -> None:
    """Where its coordinator is not there yet, it is waited for: nothing is committed, and nobody is in it."""
    try:
        broker = Broker(tmp_path)
    except Missing as missing:
        absent(missing)
    broker.start()
    try:
        committed = asyncio.run(Kafka(broker.address).commits("nobody"))
        seen = asyncio.run(group_seen(Kafka(broker.address), "nobody"))
    finally:
        broker.stop()

    assert committed == {}
    assert seen == GroupSeen(0, {})


def test_what_will_not_change_is_raised_at_once() -> None:
    """Only what the client calls retriable is asked for again."""
    asked: list[int] = []

    async def ask() -> None:
        asked.append(len(asked))
        raise KafkaError("no")

    with pytest.raises(KafkaError):
        asyncio.run(ready(ask))

    assert asked == [0]
    assert sum(PAUSES) < 10
