"""Messages on a Kafka topic: keyed by the engine, each once and in order as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from ssl import SSLContext
from threading import get_ident
from typing import Any, Final
from urllib.parse import urlsplit

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from sensors.transport import Batch, Busy, Refused

TIMEOUT: Final = 10.0
"""Seconds that one delivery may take."""
_CLOSING: Final = 1.0
_REFUSED: Final = (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)


class Kafka:
    """Sends batches to one topic, with an idempotent producer and an event loop of its own.

    The loop runs only while something is delivered, in the thread that delivers. A batch that was not acknowledged in
    time is not sent a second time: the next try waits for the same acknowledgements.
    """

    def __init__(  # noqa: PLR0913 - the one call that users make; all but the first two are named
        self,
        servers: str,
        topic: str,
        *,
        tls: SSLContext | None = None,
        user: str | None = None,
        password: str | None = None,
        mechanism: str = "SCRAM-SHA-512",
        allow_plain_text: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        """Prepare, without connecting.

        Args:
            servers: HOST:PORT, several with commas.
            topic: where messages go.
            tls: for a listener with TLS; `ssl.create_default_context(cafile=...)` makes one.
            user: for a listener that asks for a password.
            password: the user's.
            mechanism: how it is proved: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN.
            allow_plain_text: let the password go over an open line.
            timeout: seconds that one delivery may take.

        Raises:
            ValueError: one of them makes no sense.
        """
        if not topic or not all(server.rpartition(":")[2].isdigit() for server in servers.split(",")):
            raise ValueError(f"expected HOST:PORT and a topic, got {servers!r} and {topic!r}")
        if (user is None) != (password is None):
            raise ValueError("expected both a user and a password, or none")
        if user is not None and tls is None and not allow_plain_text:
            raise ValueError("the password would go over an open line; give tls, or allow it with allow_plain_text")
        self._topic = topic
        self._timeout = timeout
        self._options: dict[str, Any] = {
            "bootstrap_servers": servers,
            "security_protocol": f"{'' if user is None else 'SASL_'}{'PLAINTEXT' if tls is None else 'SSL'}",
            "ssl_context": tls,
            "sasl_mechanism": mechanism,
            "sasl_plain_username": user,
            "sasl_plain_password": password,
        }
        self._log = _Log()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._producer: AIOKafkaProducer | None = None
        self._sent: tuple[str, list[asyncio.Future[Any]]] = ("", [])
        """The batch under way: its identity, and an acknowledgement for each message that was handed over."""

    def deliver(self, batch: Batch) -> None:
        """Send a batch, and wait until the brokers have it."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._log.hush()
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._deliver(batch), self._timeout))
        except TimeoutError as error:
            raise Busy(self._waited_for()) from error
        except KafkaError as error:
            self._let_go(self._loop)
            if isinstance(error, _REFUSED):
                raise Refused(str(error)) from error
            raise Busy(self._log.last or str(error)) from error

    async def _deliver(self, batch: Batch) -> None:
        if self._producer is None:
            self._producer = await self._started()
        if self._sent[0] != batch.identity:
            self._sent = (batch.identity, [])
        acks = self._sent[1]
        for message in batch.messages[len(acks) :]:
            acks.append(await self._producer.send(self._topic, message, batch.key))
        for ack in acks:
            await asyncio.shield(ack)

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._options, client_id="manometer-sensors", enable_idempotence=True)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    def _waited_for(self) -> str:
        if self._producer is None:
            return f"no broker answered within {self._timeout:g} s"
        return f"no acknowledgement within {self._timeout:g} s: {self._log.last}"

    def _let_go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget the producer and what it has not sent; after a failure it would only fail again."""
        producer, self._producer = self._producer, None
        self._sent = ("", [])
        if producer is not None:
            loop.run_until_complete(_stopped(producer))

    def close(self) -> None:
        """Let go of the brokers; what they have not acknowledged by then is lost."""
        if self._loop is not None:
            self._let_go(self._loop)
            self._loop.close()
            self._log.let_speak()


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Stop a producer; where it still waits for brokers, it is ended."""
    with suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(producer.stop(), _CLOSING)
    await producer.client.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Log(logging.Filter):
    """Keeps what the client logs in the thread that delivers: it would fill the model's log while a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self._thread = 0
        self._quiet: list[logging.Logger] = []

    def hush(self) -> None:
        """Begin, in the thread that calls."""
        self._thread = get_ident()
        names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "aiokafka"]
        self._quiet = [logging.getLogger(name) for name in names]
        for logger in self._quiet:
            logger.addFilter(self)

    def let_speak(self) -> None:
        """End."""
        for logger in self._quiet:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the text of a record of this thread, and let all others pass."""
        if record.thread != self._thread:
            return True
        if record.levelno >= logging.WARNING:
            self.last = record.getMessage()
        return False


def at(address: str) -> Kafka:
    """Make the transport of an address such as kafka://127.0.0.1:9092/notify.

    Raises:
        ValueError: it is no such address.
    """
    parts = urlsplit(address)
    topic = parts.path.removeprefix("/")
    if parts.scheme != "kafka" or "@" in parts.netloc or "/" in topic or parts.query:
        raise ValueError(f"expected an address such as kafka://127.0.0.1:9092/notify, got {address!r}")
    return Kafka(parts.netloc, topic)
