"""The engine, as a model's own process sees it: states, taps and sensors, reported without harm to the model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

from engine.clock import SystemClock
from sensors.descriptor import LONGEST, SHORTEST
from sensors.messages import Messages
from sensors.outbox import MESSAGES, Outbox
from sensors.panel import Panel
from sensors.sender import Sender
from sensors.sensor import Reported
from sensors.system import Scope, system_taps
from sensors.taps import Slot, Tap, slot_taps
from sensors.transport import Transport
from sensors.transports.file import File
from sensors.transports.http import Http
from sensors.watch import Installed


class Stats(NamedTuple):
    """What became of the messages of an engine."""

    sent: int
    waiting: int
    """Not sent yet, the batch under way included; after the end: not sent at all."""
    dropped: int
    """Left because too many waited."""
    refused: int
    """The receiver will not take them."""
    retries: int
    """Deliveries that were tried again."""
    errors: int
    """Taps that could not be read, numbers that were none, and failures of our own."""


class Engine:
    """Reports what one model does, from inside its process.

        with Engine("05964876", to="http://127.0.0.1:8300/topics/notify", model="lstm") as engine:
            slot = engine.slot(0)
            for line in lines:
                slot.record(len(line))

    On entry it reports the states `init` and `running`, on a clean exit `stopped`, on an exception `error`; the
    exception goes on. Threads of its own read taps and send; nothing here waits for the receiver but the exit, and
    that for `close_within` seconds at most. Apart from ValueError, for a call that makes no sense, nothing is raised.
    In a forked child the engine is silent: a child that wants to report makes an engine of its own.
    """

    def __init__(  # noqa: PLR0913 - the one call that users make; all but the first are named
        self,
        src: str,
        *,
        to: str | os.PathLike[str] | Transport,
        model: str | None = None,
        token: str | None = None,
        report_every: float = 5.0,
        system: Scope = "process",
        buffer: int = MESSAGES,
        close_within: float = 2.0,
    ) -> None:
        """Prepare; nothing is sent before `start`.

        Args:
            src: the engine's id.
            to: an address to post to, kafka://HOST:PORT/TOPIC, a file to append to, or a transport.
            model: the name of the model, told once.
            token: for a receiver that asks for one.
            report_every: seconds between the reports of default sensors.
            system: whether sys.cpu.utilization and sys.memory are of this process or of its host.
            buffer: messages that may wait, at most.
            close_within: seconds that the exit may wait for the receiver.

        Raises:
            ValueError: one of them makes no sense.
        """
        _check(src, system=system, report_every=report_every, buffer=buffer, close_within=close_within)
        self._model = model
        self._close_within = close_within
        self._clock = SystemClock()
        self._process = os.getpid()
        self._messages = Messages(src)
        self._outbox = Outbox(buffer)
        self._sender = Sender(_transport(to, token), self._outbox, src.encode(), self._lost)
        self._panel = Panel(system_taps(system), report_every=report_every, clock=self._clock, send=self._report)
        self._phase = "new"
        self._errors = 0

    def start(self) -> None:
        """Report the model's name, `init` and `running`, and begin to read and send."""
        if self._phase != "new" or self._elsewhere():
            return
        self._phase = "started"
        with self._harmless():
            if self._model is not None:
                self._outbox.put([self._messages.model(self._clock.now(), self._model)], kept=True)
            self.state("init")
            self._sender.start()
            self._panel.start()
            self.state("running")

    def stop(self, state: str = "stopped") -> None:
        """Report what sensors have collected and a last state, and send it, for `close_within` seconds at most."""
        if self._phase != "started" or self._elsewhere():
            return
        with self._harmless():
            self._panel.finish()
        with self._harmless():
            self.state(state)
        self._phase = "stopped"
        with self._harmless():
            self._sender.close(self._close_within)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Stop, with the state `error` after an exception; being told to end is none."""
        failed = (kind is not None and issubclass(kind, Exception)) or (
            isinstance(error, SystemExit) and error.code not in {None, 0}
        )
        self.stop("error" if failed else "stopped")

    def state(self, state: str) -> None:
        """Report a state in a word of yours, or `error` where the model goes on all the same.

        Raises:
            ValueError: the word is empty.
        """
        if not state:
            raise ValueError("expected a state such as running, got an empty text")
        if self._phase == "started" and not self._elsewhere():
            self._outbox.put([self._messages.state(self._clock.now(), state)], kept=True)

    def tap(self, name: str) -> Tap:
        """Give a tap that counts, such as `manifold.0.records.count`; keep it, and `add` to it from any thread.

        Raises:
            ValueError: the name is empty or that of a tap of the system.
        """
        return Tap(name) if self._elsewhere() else self._panel.tap(name)

    def slot(self, number: int) -> Slot:
        """Give a slot with its four taps, for one stream that the model reads or writes.

        Raises:
            ValueError: the number is negative.
        """
        if number < 0:
            raise ValueError(f"expected the number of a slot, 0 or more, got {number}")
        return Slot(*map(self.tap, slot_taps(number)))

    def install(self, descriptor: Mapping[str, object]) -> int:
        """Install a sensor in the place of the default sensor of its tap; gives its id (0 in a forked child).

        Raises:
            DescriptorError: it is no descriptor; the text says what is wrong.
            ValueError: there is no such tap, or it counts and has a sensor of yours already.
        """
        return 0 if self._elsewhere() else self._panel.install(descriptor)

    def uninstall(self, number: int) -> None:
        """Take a sensor out; what it has collected is reported.

        Raises:
            ValueError: there is no sensor of this id.
        """
        if not self._elsewhere():
            self._panel.uninstall(number)

    @property
    def sensors(self) -> tuple[Installed, ...]:
        """The sensors that are installed: id, tap, and whether they are still active."""
        return () if self._elsewhere() else self._panel.sensors

    @property
    def stats(self) -> Stats:
        """What became of the messages so far."""
        sender = self._sender
        return Stats(
            sent=sender.sent,
            waiting=len(self._outbox) + sender.pending,
            dropped=self._outbox.dropped,
            refused=sender.refused,
            retries=sender.retries,
            errors=self._errors + self._panel.errors,
        )

    def _report(self, reports: list[Reported]) -> None:
        now = self._clock.now()
        if self._phase == "started":
            self._outbox.put([self._messages.report(now, report) for report in reports])

    def _lost(self, lost: Mapping[str, int]) -> bytes:
        return self._messages.lost(self._clock.now(), lost)

    def _elsewhere(self) -> bool:
        """Say whether this is a forked child, where locks may be closed for ever and no thread of ours runs."""
        return os.getpid() != self._process

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Count what goes wrong in our own work; the model goes on."""
        try:
            yield
        except Exception:  # noqa: BLE001 - reporting never harms the model
            self._errors += 1


def _check(src: str, *, system: str, report_every: float, buffer: int, close_within: float) -> None:
    """Refuse settings that make no sense."""
    wrong = {
        f"src: expected the engine's id, got {src!r}": not src,
        f"system: expected process or host, got {system!r}": system not in {"process", "host"},
        f"report_every: expected {SHORTEST} s to a year, got {report_every!r}": not SHORTEST <= report_every <= LONGEST,
        f"buffer: expected 1 message or more, got {buffer!r}": buffer < 1,
        f"close_within: expected 0 s to an hour, got {close_within!r}": not 0 <= close_within <= 3_600,  # noqa: PLR2004 - as the text says
    }
    found = [text for text, is_wrong in wrong.items() if is_wrong]
    if found:
        raise ValueError("; ".join(found))


def _transport(to: str | os.PathLike[str] | Transport, token: str | None) -> Transport:
    """Choose the transport by what `to` looks like."""
    if isinstance(to, str) and to.startswith("kafka://"):
        if token is not None:
            raise ValueError(
                "token: a Kafka listener asks for a user and a password; give a transport in place of `to`"
            )
        from sensors.transports.kafka import at  # noqa: PLC0415 - an extra, which most models do not need

        return at(to)
    if isinstance(to, str) and "://" in to:
        return Http(to, token)
    if isinstance(to, (str, os.PathLike)):
        return File(to)
    return to
