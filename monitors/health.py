"""Whether each engine runs, is in error, or is silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import Field

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.reports import EngineState, SensorMessage, SensorReport
from engine.times import SECOND, Duration, Micros, duration_text

ENGINE_STATE = MetricSpec(
    name="engine_state",
    kind="gauge",
    unit="code",
    help="State of an engine: 0 init, 1 running, 2 error, 3 silent.",
    holds=True,
    values=((0, "init"), (1, "running"), (2, "error"), (3, "silent")),
)
ENGINE_ERROR = AlertSpec(
    name="EngineError", severity="critical", help="The engine says that it is in error.", runbook="engine-error"
)
ENGINE_SILENT = AlertSpec(
    name="EngineSilent", severity="critical", help="Nothing comes from the engine any more.", runbook="engine-silent"
)
CODES: Final = {"init": 0, "running": 1, "error": 2}
ERROR: Final = 2
SILENT: Final = 3


class Health(Monitor):
    """Follows the state that each engine tells, and notices when it says nothing at all.

        messages   r r r r . . . . . r r
        state      1 1 1 1     3 3 3 1 1
                               ^ silent_after later: EngineSilent fires; the next message resolves it

    An engine that was seen once is silent when stream time reaches its newest message plus `silent_after`. A state
    without a number (`stopped`, `paused`) is a sign of life and no more.
    """

    class Options(MonitorOptions):
        """When an engine counts as silent."""

        silent_after: Duration = Field(Micros(60 * SECOND), description="How long nothing may come from an engine.")
        leaving: tuple[str, ...] = Field(
            ("stopped",), strict=False, description="States after which an engine may be silent: it has left."
        )
        expected: bool = Field(
            False, description="Whether engines listed in `engines:` count as seen at the stream's first message."
        )

    class State(MonitorState, gc=False):
        """The last state told, and whether the engine is silent."""

        code: int | None = None
        newest: int = -1
        """Time of the newest state with a number."""
        word: int = -1
        """Time of the newest state, with a number or without."""
        left: bool = False
        silent: int | None = None
        """Since when it is silent."""

    reads = SensorMessage
    signs = SensorReport
    series = ("engine",)
    emits = (ENGINE_STATE, ENGINE_ERROR, ENGINE_SILENT)
    key_fields = ("src",)

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        super().__init__(options)
        self.silent_after = self.options.silent_after
        self._leaving = frozenset(self.options.leaving)

    def key(self, record: Record) -> Key:
        """Name the engine; every message of it is a sign of life."""
        return (record.value.src,)

    def expects(self, engines: Sequence[str]) -> Iterable[Key]:
        """Count the engines of the workflow file as seen, where the option says so."""
        return [(engine,) for engine in engines] if self.options.expected else []

    def on_record(self, record: Record, state: State) -> Sequence[Emission]:
        """End a silence, and tell a new state."""
        silent = state.silent
        back = silent is not None and record.time > silent
        if type(record.value) is not EngineState:
            return self._back(record.time, state) if back else ()
        code = self._told(record, state)
        if back:
            return self._back(record.time, state)
        return () if code is None or silent is not None else _tell(record.time, code)

    def _told(self, record: Record, state: State) -> int | None:
        """Remember a state; gives its number where it is news."""
        word, time = record.value.state, record.time
        if time > state.word:
            state.word = time
            state.left = word in self._leaving
        code = CODES.get(word)
        if code is None or time <= state.newest:
            return None
        state.newest = time
        state.code = code
        return code

    def _back(self, time: int, state: State) -> list[Emission]:
        """End a silence: the alert resolves, and the last state is told again, if one ever was."""
        state.silent = None
        told = [] if state.code is None else _tell(time, state.code)
        return [ENGINE_SILENT.set(time, False, summary="The engine is back."), *told]

    def on_silent(self, now: int, state: State) -> Sequence[Emission]:
        """Tell that an engine is silent, unless it said that it leaves."""
        if state.left:
            return ()
        state.silent = now
        summary = f"Nothing came from the engine for {duration_text(self.options.silent_after)}."
        return [ENGINE_STATE.at(now, SILENT), ENGINE_SILENT.set(now, True, value=SILENT, summary=summary)]


def _tell(time: int, code: int) -> list[Emission]:
    error = code == ERROR
    summary = "The engine says that it is in error." if error else "The engine is no longer in error."
    return [ENGINE_STATE.at(time, code), ENGINE_ERROR.set(time, error, value=code, summary=summary)]
