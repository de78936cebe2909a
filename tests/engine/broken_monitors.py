"""Monitors that keep the contract, and all the ways to break it: each is a small change of their text."""

from __future__ import annotations

from typing import Final

GOOD: Final = """\
from engine.catalogue import AlertSpec, MetricSpec
from engine.monitor import Monitor, MonitorOptions, MonitorState
from pydantic import Field

SUM = MetricSpec(name="value_sum", kind="gauge", unit="units", help="Sum of the values.", tags=("sort",))
OTHER = MetricSpec(name="other_sum", kind="gauge", unit="units", help="Declared by nobody.")
QUIET = AlertSpec(name="Quiet", severity="info", help="Nothing came.", runbook="quiet")
SECOND = 1_000_000
KEPT = []


class Subject(Monitor):
    class Options(MonitorOptions):
        factor: float = Field(1.0, description="What each value counts.")

    class State(MonitorState):
        total: float = 0.0
        ends: int | None = None

    scope = "stream"
    reads = dict
    series = ("id",)
    emits = (SUM, QUIET)
    silent_after = 300 * SECOND

    def key(self, record):
        return (record.value["id"],)

    def on_record(self, record, state):
        total = state.total + record.value["value"] * self.options.factor
        emitted = (SUM.at(record.time, total),)
        state.total = total
        state.ends = state.ends or record.time + 20 * SECOND
        return emitted

    def next_timer(self, state):
        return state.ends

    def on_timer(self, now, state):
        state.ends = None
        return [SUM.at(now, state.total, sort="timer")]

    def on_silent(self, now, state):
        return [QUIET.set(now, True)]
"""
EMITTED: Final = "emitted = (SUM.at(record.time, total),)"
TOTAL: Final = '        total = state.total + record.value["value"] * self.options.factor\n'
BATCH: Final = """
    def on_batch(self, records, state):
        pairs = []
        for place, record in enumerate(records):
            while state.ends is not None and state.ends <= record.time:
                pairs += [(place, one) for one in self.on_timer(state.ends, state)]
            pairs += [(place, one) for one in self.on_record(record, state)]
        return pairs
"""

BROKEN: Final[dict[str, tuple[list[tuple[str, str]], str]]] = {
    "changes its state before it raises": (
        [(TOTAL, '        state.total += 1\n        total = state.total + record.value["value"]\n')],
        "on_record changed its state before it raised KeyError: 'value'; change the state last",
    ),
    "changes its state, then raises while it emits": (
        [
            ("return emitted", "state.ends += 0\n        yield SUM.at(record.time, total)"),
            ("        emitted = (SUM.at(record.time, total),)\n", ""),
            ("state.total = total", 'state.total = total\n        record.value["value"] + 0'),
            ('record.value["value"] * self', 'record.value.get("value", 1) * self'),
        ],
        "on_record changed its state before it raised KeyError: 'value'; change the state last",
    ),
    "raises": ([(TOTAL, TOTAL + "        total / (record.value['value'] - 2.5)\n")], "record 2: ZeroDivisionError: "),
    "keeps state on itself": (
        [(TOTAL, "        self.total = getattr(self, 'total', 0) + 1\n        total = self.total\n")],
        "what a call does may depend on its record and its state only",
    ),
    "keeps something on itself that changes nothing": (
        [(TOTAL, TOTAL + "        self.newest = record.time\n")],
        "the monitor itself changed while it ran; keep everything in State",
    ),
    "keeps state in its module": (
        [(TOTAL, TOTAL + "        KEPT.append(total)\n        total = len(KEPT)\n")],
        "what a call does may depend on its record and its state only",
    ),
    "changes a name of its module": ([(TOTAL, "        global KEPT\n" + TOTAL)], "line 30: changes KEPT"),
    "imports the clock": ([("KEPT = []", "import time")], "line 9: imports time; a monitor knows its records"),
    "reads the clock": (
        [("KEPT = []", "from datetime import datetime"), (TOTAL, TOTAL + "        datetime.now()\n")],
        "line 31: calls now; a monitor has no I/O and no clock",
    ),
    "imports chance": ([("KEPT = []", "from random import random")], "line 9: imports random;"),
    "finds chance elsewhere": (
        [
            ("record.time, total)", "record.time, float(id(object()) + len(KEPT)))"),
            (TOTAL, TOTAL + "        KEPT.append(1)\n"),
        ],
        "what a call does may depend on its record and its state only",
    ),
    "opens a file": ([(TOTAL, TOTAL + "        open('x')\n")], "line 31: calls open; a monitor has no I/O"),
    "imports a network": ([("KEPT = []", "import urllib.request")], "line 9: imports urllib.request;"),
    "imports whatever it likes": (
        [(TOTAL, TOTAL + "        __import__('os')\n")],
        "line 31: calls __import__; a monitor has no I/O",
    ),
    "emits what it does not declare": (
        [(EMITTED, "emitted = (OTHER.at(record.time, total),)")],
        "Undeclared: other_sum is not in emits, which has Quiet, value_sum",
    ),
    "emits what it does not declare, at a timer": (
        [("SUM.at(now", "OTHER.at(now")],
        "next_timer: expected a later time, or None, after on_timer was called",
    ),
    "emits a tag that it does not declare": (
        [(EMITTED, 'emitted = (SUM.at(record.time, total, shop="a"),)')],
        "value_sum: the tag shop is not declared; its spec has sort",
    ),
    "emits at a time in seconds": (
        [(EMITTED, "emitted = (SUM.at(record.time / 1e6, total),)")],
        "record 0: TypeError: 'float' object cannot be interpreted as an integer",
    ),
    "emits a text as a value": ([(EMITTED, 'emitted = (SUM.at(record.time, "1"),)')], "record 0: TypeError: "),
    "grows without a bound": (
        [
            ("        total: float = 0.0", "        total: float = 0.0\n        seen: list[float] = []"),
            ("state.total = total", "state.total = total\n        state.seen.append(total)"),
        ],
        "bytes over the same records; bound it by an option",
    ),
    "has a key that changes": (
        [('return (record.value["id"],)', "KEPT.append(1)\n        return (str(len(KEPT) % 3),)")],
        "key: the same record had the keys ",
    ),
    "has a key that is no tuple": ([('(record.value["id"],)', 'record.value["id"]')], "key: expected a tuple of texts"),
    "has a key of numbers": ([('(record.value["id"],)', '(record.value["value"],)')], "key: expected a tuple of texts"),
    "has a key of other parts": ([('series = ("id",)', 'series = ("id", "shop")')], "key: expected a tuple of texts"),
    "has a state that cannot be saved": (
        [("total: float = 0.0", "total: object = object()")],
        "State: cannot be saved and restored: ",
    ),
    "has a state that can be saved no longer": (
        [
            ("        total: float = 0.0", "        total: float = 0.0\n        last: object = None"),
            ("state.total = total", "state.total = total\n        state.last = self"),
        ],
        "State: cannot be saved: ",
    ),
    "has a state that comes back as another": (
        [
            ("        total: float = 0.0", "        total: float = 0.0\n        last: object = None"),
            ("state.total = total", "state.total = total\n        state.last = (total, 1)"),
        ],
        " after it was saved and restored, got ",
    ),
    "has a state that is not what it was": (
        [
            ("        total: float = 0.0", "        total: float = 0.0\n        last: object = None"),
            (EMITTED, "emitted = (SUM.at(record.time, total + (type(state.last) is list)),)"),
            ("state.total = total", "state.total = total\n        state.last = (1, 1)"),
        ],
        "cut and resumed at each line: expected ",
    ),
    "has a state without a default": (
        [("total: float = 0.0\n        ends: int | None = None", "total: float\n        ends: int | None = None")],
        "State: expected a default for every field: ",
    ),
    "changes records": (
        [(TOTAL, TOTAL + '        record.value["seen"] = True\n')],
        "record 0: on_record changed it; monitors read records and change nothing in them",
    ),
    "raises at a timer": ([("state.ends = None\n", "raise LookupError('no')\n")], "on_timer: LookupError: no"),
    "gives nothing at a timer": (
        [('return [SUM.at(now, state.total, sort="timer")]', "pass")],
        "on_timer: TypeError: ",
    ),
    "has a timer that stays": ([("        state.ends = None\n", "")], "next_timer: expected a later time, or None"),
    "raises in a silence": ([("return [QUIET", "raise LookupError('no')  # [QUIET")], "on_silent: LookupError: no"),
    "has an option that nobody understands": (
        [('(1.0, description="What each value counts.")', "(1.0)")],
        "option factor: expected a description",
    ),
    "emits nothing": ([("emits = (SUM, QUIET)", "emits = ()")], "emits: expected at least one MetricSpec or AlertSpec"),
    "has a tag like a part of its key": ([('tags=("sort",)', 'tags=("id",)')], "value_sum: the tag id is taken"),
    "has a tag of the engine's": ([('tags=("sort",)', 'tags=("workflow",)')], "value_sum: the tag workflow is taken"),
    "has a part of the key that is the engine's": ([('series = ("id",)', 'series = ("time",)')], "series: time cannot"),
}
"""What a monitor does wrong -> what is changed in the good one, and what the suite has to say."""

BATCHES: Final[dict[str, tuple[str, str]]] = {
    "other values": ("return pairs", "return [(p, SUM.at(one.time, one.value + len(records))) for p, one in pairs]"),
    "other values in batches of three": (
        "return pairs",
        "return pairs if len(records) != 3 else [(p, SUM.at(one.time, 0.0)) for p, one in pairs]",
    ),
    "an emission less": ("return pairs", "return pairs[:-1]"),
    "no timers on the way": ("while state.ends is not None and", "while False and"),
    "a state of its own": ("return pairs", "state.total += 1\n        return pairs"),
}
"""What `on_batch` does wrong -> what is changed in the good one."""

SENSORS: Final = """\
from engine.catalogue import MetricSpec
from engine.monitor import Monitor
from engine.reports import EngineState, SensorMessage, SensorReport

SEEN = MetricSpec(name="seen_seconds", kind="gauge", unit="seconds", help="When it was seen.")


class Subject(Monitor):
    reads = SensorMessage
    series = ("engine",)
    emits = (SEEN,)
    key_fields = ("src",)

    def key(self, record):
        return (record.value.src,)

    def on_record(self, record, state):
        return (SEEN.at(record.time, record.time / 1e6),)
"""
MISUSED: Final[dict[str, tuple[tuple[str, str], str]]] = {
    "series of several engines where it says key": (
        ("return (record.value.src,)", 'return ("all",)'),
        "scope: ('all',) is the series of 'e1' and of 'e2'; say scope = \"stream\"",
    ),
    "a key that the named fields do not decide": (
        ("return (record.value.src,)", "return (f'{record.value.src}{record.time // 40_000_000}',)"),
        "key_fields: ('e1',) has the keys ",
    ),
    "signs that emit": (
        ('key_fields = ("src",)', 'key_fields = ("src",)\n    signs = SensorReport'),
        "signs: SensorReport made seen_seconds, though the series was not silent",
    ),
}
"""What is wrong about the series -> what is changed in the good one, and what the suite has to say."""
