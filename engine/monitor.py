"""The contract that monitor plugins implement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from engine.catalogue import Spec
from engine.events import Emission, Record
from engine.times import HOUR, Duration, Micros

Scope = Literal["key", "stream"]
Key = tuple[str, ...]


class MonitorOptions(BaseModel):
    """Base of a monitor's options: what stands under `with:`. Every field has a description."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)


class PairOptions(MonitorOptions):
    """Options of a monitor with two inputs that the engine itself reads; they may stand there without this base too."""

    wait: Duration = Field(
        Micros(HOUR), description="How far apart in event time two records of one key may be; so long one waits."
    )
    pending: int = Field(
        100_000, ge=1, description="How many records of a partition may wait for their other half; the oldest leave."
    )


class MonitorState(msgspec.Struct):
    """Base of what a monitor remembers of one series. Every field has a default; the engine saves and restores it."""


class Monitor:
    """Watches records and emits metrics and alerts. It holds options and no state.

    The engine calls, for each record in the order of its partition: `key`, then `on_record` with the state of that
    series. Calls for one series never overlap. Timers come in the order of stream time, always before a later record.
    If `on_record` raises, the record becomes a reject and what the call emitted is dropped.

    The monitor promises: no I/O, no clock, no threads, no randomness without a seed option, nothing global;
    `on_record` changes its state last; the same records give the same emissions; memory per series is bounded by the
    options. `engine.checks.check_monitor` proves it.
    """

    class Options(MonitorOptions):
        """No options, unless the monitor says otherwise."""

    class State(MonitorState):
        """No state, unless the monitor says otherwise."""

    scope: Scope = "key"
    """`key`: series follow the message key. `stream`: one series over the whole stream."""
    reads: type | tuple[type, ...] = object
    """Only records with values of this type reach the monitor."""
    series: tuple[str, ...] = ()
    """Names of the parts of the key; they become tags."""
    emits: tuple[Spec, ...] = ()
    """All that it may emit."""
    inputs: tuple[str, ...] = ()
    """Names of two inputs, where the monitor reads pairs; empty for one stream."""
    key_fields: tuple[str, ...] = ()
    """Fields of the value that alone decide the key; the engine may then ask `key` once for each of their values.

    Sensor messages know `src` and `tap`, metrics `name` and `tags`. Empty: `key` is asked for each record.
    """
    signs: type | tuple[type, ...] = ()
    """Values of these types only show that a series lives: `on_record` gets them only while the series is silent."""
    files: tuple[str, ...] = ()
    """Names of options that name a file, relative to the workflow file; who loads the workflow reads them."""
    silent_after: int | None = None
    """Microseconds without a record of a series after which `on_silent` is called; None for never."""

    options: Any

    def __init__(self, options: Any = None) -> None:
        """Keep the options; a monitor that prepares something from them does it here."""
        self.options = options if options is not None else self.Options()

    def take_file(self, option: str, data: bytes) -> None:
        """Take what stands in the file that an option names, once, before the first record.

        Raises:
            ValueError: it cannot be used; `check` reports it at the option.
        """
        raise NotImplementedError

    def doubts(self) -> Iterable[tuple[str, str]]:
        """Name options that are allowed and probably not meant, each with a sentence, for `check`."""
        return ()

    def key(self, record: Any) -> Key | None:
        """Say whose series the record belongs to; None when it is not for this monitor. Keep it cheap."""
        raise NotImplementedError

    def on_record(self, record: Any, state: Any) -> Iterable[Emission]:
        """Take one record into the state of its series and give what is to be emitted.

        With two inputs it is a Pair, here and in `key`: two records of one key that are at most `wait` apart, or one
        that waited in vain. Pairs come in the order of (time, key), and time moves with them as it does with records.
        `on_batch` is not used then.
        """
        raise NotImplementedError

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Act at the time that `next_timer` asked for; `now` is that time, not later."""
        raise NotImplementedError

    def on_silent(self, now: int, state: Any) -> Iterable[Emission]:
        """Act once when nothing came for `silent_after`; `now` is the newest record's time plus that.

        It comes again only after a record that is later than `now`.
        """
        raise NotImplementedError

    def next_timer(self, state: Any) -> int | None:
        """Say when `on_timer` is wanted, asked after each call for the series; None for not at all."""
        raise NotImplementedError

    def on_batch(self, records: Sequence[Record], state: Any) -> Iterable[tuple[int, Emission]]:
        """Take several records of one series at once; each emission comes with the index of its record.

        Optional and only for speed: it gives what `on_record` would give one by one, bit for bit, under every cut,
        and does by itself what a timer that it sets on the way would have done before a later record.
        """
        raise NotImplementedError

    def expects(self, engines: Sequence[str]) -> Iterable[Key]:
        """Name series that count as seen at the stream's first record; `engines` are those of the workflow file."""
        del engines
        return ()

    def scope_on(self, key_fields: Sequence[str]) -> Scope:
        """Say the scope on a stream that is keyed by these fields, where it depends on the options."""
        del key_fields
        return self.scope
