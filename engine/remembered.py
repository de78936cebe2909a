"""What one pipeline remembers: series, engines, times and offsets; saved as records, restored from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from engine.engines import Engine
from engine.events import Message
from engine.joined import Meeting
from engine.notices import Notices, SavedNotices
from engine.origins import not_applied
from engine.plan import Group, Plan
from engine.series import Cell, Table
from engine.timers import Timers
from engine.times import DAY

ENGINE_FORGOTTEN_AFTER: Final = 7 * DAY
MAX_ENGINES: Final = 1_000_000
"""Engines a partition knows; more are refused like series over their bound."""


class Watermark(msgspec.Struct, frozen=True, array_like=True):
    """How far a pipeline has come: saved with the states, so that both are always of the same moment."""

    offsets: dict[str, int]
    """Next offset of each stream."""
    times: dict[str, int]
    now: int | None
    workflow_hash: str
    notices: SavedNotices
    origins: dict[str, int] = {}
    """Next offset of each `TOPIC/PARTITION` that was read through a repartitioned topic."""
    revision: int = 0
    """Which of the workflow's files that is, in the order in which they ran."""


class Remembered:
    """All that one pipeline remembers between messages."""

    def __init__(self, plan: Plan, group: Group, partition: int) -> None:
        """Begin with nothing but the tables of the monitors."""
        self.plan = plan
        self.group = group
        self.tables = [Table(attached, index, plan.workflow) for index, attached in enumerate(group.monitors)]
        self.meeting = Meeting(plan, group.streams, self.tables) if len(group.streams) > 1 else None
        self.engines: dict[str, Engine] = {}
        self.timers = Timers()
        self.notices = Notices(plan.workflow, partition)
        self.offsets: dict[str, int] = {}
        self.origins: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.now: int | None = None
        self.dirty: list[Engine] = []
        self._forgotten: list[bytes] = []

    def engine(self, src: str) -> Engine | None:
        """Give an engine, a new one where it is not known; None when there are too many."""
        engine = self.engines.get(src)
        if engine is None:
            if len(self.engines) >= MAX_ENGINES:
                return None
            engine = self.engines[src] = Engine(src, self.plan.engines.get(src))
            engine.touched = self.now or 0
            self.watch_engine(engine)
        return engine

    def watch_engine(self, engine: Engine) -> None:
        """Set when an engine is looked at to be forgotten: a week after its last message, and each week from then."""
        now = self.now or 0
        due = engine.touched + ENGINE_FORGOTTEN_AFTER
        if due <= now:
            due += ((now - due) // ENGINE_FORGOTTEN_AFTER + 1) * ENGINE_FORGOTTEN_AFTER
        self.timers.set(due, -1, (engine.id,), engine)

    def mark(self, engine: Engine) -> None:
        """Note that an engine has to be saved."""
        if not engine.dirty:
            engine.dirty = True
            self.dirty.append(engine)

    def forget_engine(self, engine: Engine) -> None:
        """Drop an engine from which nothing came for a week, unless series of it are still there."""
        engine.cells = [cell for cell in engine.cells if not cell.gone]
        if engine.cells or engine.touched + ENGINE_FORGOTTEN_AFTER > (self.now or 0):
            self.watch_engine(engine)
            return
        del self.engines[engine.id]
        engine.dirty = False
        self._forgotten.append(self._name("engine", engine.id))

    def rename(self, engine: Engine, model: str) -> None:
        """Give an engine's model another name; its series keep their sums and carry the new name from now on."""
        if engine.model == model:
            engine.named = model
            return
        engine.named = model
        engine.cells = [cell for cell in engine.cells if not cell.gone]
        for cell in engine.cells:
            cell.tags = cell.table.tagged(cell.key, model)
            cell.readers = None

    def tag(self, cell: Cell) -> None:
        """Give a series its tags, the model's name among them where its key has an engine."""
        at = cell.table.engine_at
        if at is None:
            cell.tags = cell.table.tagged(cell.key, None)
            return
        engine = self.engine(cell.key[at])
        if engine is not None:
            engine.cells.append(cell)
        cell.tags = cell.table.tagged(cell.key, engine.model if engine is not None else cell.key[at])

    def fresh(self, place: str, messages: Sequence[Message]) -> list[Message]:
        """Leave out what was applied: by its offset, or because a repartitioned topic holds it twice."""
        applied = self.offsets.get(place, 0)
        return not_applied((message for message in messages if message.offset >= applied), self.origins)

    def pass_by(self, place: str, message: Message) -> None:
        """Note that all up to a message needs not be read any more."""
        self.offsets[place] = max(self.offsets.get(place, 0), message.offset + 1)

    def save(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give the records that changed since the last call, the watermark last."""
        forgotten, self._forgotten = self._forgotten, []
        for name in forgotten:
            yield name, None
        for table in self.tables:
            name = self._name("series", table.name)
            for key, data in table.save():
                yield name[:-1] + b"," + _encode_name(key)[1:] if key else name, data
        dirty, self.dirty = self.dirty, []
        for engine in dirty:
            if engine.dirty:
                engine.dirty = False
                yield self._name("engine", engine.id), engine.save()
        for parts, saved in () if self.meeting is None else self.meeting.save():
            yield self._name(*parts), saved
        yield self._name("watermark"), self._watermark()

    def _watermark(self) -> bytes:
        plan = self.plan
        notices = self.notices.save()
        return _encode(
            Watermark(
                self.offsets, self.times, self.now, plan.hash, notices, origins=self.origins, revision=plan.revision
            )
        )

    def _name(self, *parts: str) -> bytes:
        return _encode_name((self.group.name, *parts))

    def load(self, name: bytes, data: bytes) -> str | None:
        """Take one record that was saved; where nothing of it can be read, says what it was of.

        A record of another group is not ours and changes nothing; one of a monitor that is gone is forgotten.

        Raises:
            msgspec.DecodeError: it is the watermark, and it does not decode.
        """
        group, kind, *parts = _decode_name(name)
        if group != self.group.name:
            return None
        if kind == "watermark":
            self._load_watermark(data)
            return None
        if kind == "engine":
            return None if self._load_engine(parts[0], data) else "engines"
        if kind in {"half", "marks"}:
            return self._load_joined(name, kind, parts, data)
        table = next((table for table in self.tables if table.name == parts[0]), None)
        key = tuple(parts[1:])
        if table is None or not table.fits(key):
            self._forgotten.append(name)
            return None if table is None else table.name
        return None if table.restore(key, data) else table.name

    def _load_joined(self, name: bytes, kind: str, parts: list[str], data: bytes) -> str | None:
        whole = None
        if self.meeting is not None:
            if kind == "marks":
                self.meeting.load_marks(data)
                return None
            whole = self.meeting.load(parts, data)
        if not whole:
            self._forgotten.append(name)
        return parts[0] if whole is False else None

    def _load_engine(self, ident: str, data: bytes) -> bool:
        engine = self.engines[ident] = Engine(ident, self.plan.engines.get(ident))
        try:
            engine.load(data)
        except msgspec.DecodeError:
            return False
        return True

    def _load_watermark(self, data: bytes) -> None:
        mark = _decode_watermark(data)
        self.offsets = dict(mark.offsets)
        self.times = dict(mark.times)
        self.now = mark.now
        self.origins = dict(mark.origins)
        self.notices.restore(mark.notices)

    def resume(self) -> None:
        """Set tags and timers once all records were loaded."""
        for engine in self.engines.values():
            self.watch_engine(engine)
        for table in self.tables:
            for cell in table.cells.values():
                if not table.reads_metrics:
                    self.tag(cell)
                self.timers.set(table.next_due(cell, self.now or 0), table.index, cell.key, cell)
        if self.meeting is not None:
            self.meeting.resume()
        for key, notice in self.notices.firing.items():
            self.timers.set(notice.until, -2, key, notice)


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_watermark: Final = msgspec.msgpack.Decoder(Watermark).decode
_encode_name: Final = msgspec.json.Encoder().encode


def _decode_name(name: bytes) -> list[Any]:
    found = msgspec.json.decode(name, type=list[str])
    return found if len(found) > 1 else ["", ""]
