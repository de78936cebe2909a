"""Asks Kafka for a command: what goes wrong becomes a sentence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.security import Connection
from manometer.cli.failure import CommandError
from manometer.on_kafka import NoTopic

Found = TypeVar("Found")


def asked(connection: Connection, work: Callable[[Kafka], Coroutine[Any, Any, Found]]) -> Found:
    """Run what asks a Kafka installation to its end.

    Raises:
        CommandError: the brokers cannot be reached, or refuse, or a topic is not there.
    """
    with _heard() as heard:
        try:
            return asyncio.run(work(Kafka(connection.servers, connection.security)))
        except KafkaError as error:
            words = heard[-1] if heard and error.retriable else str(error)
            raise CommandError(f"--kafka {connection.servers}: {words}") from error
        except NoTopic as error:
            raise CommandError(f"--kafka {connection.servers}: {error}") from error
        except TimeoutError as error:
            raise CommandError(f"--kafka {connection.servers}: no answer in time") from error


@contextmanager
def _heard() -> Iterator[Sequence[str]]:
    """Collect what the client logs, which says why it could not connect, in place of its own log."""
    handler = _Ear(logging.WARNING)
    log = logging.getLogger("aiokafka")
    log.addHandler(handler)
    before, log.propagate = log.propagate, False
    try:
        yield handler.heard
    finally:
        log.removeHandler(handler)
        log.propagate = before


class _Ear(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())
