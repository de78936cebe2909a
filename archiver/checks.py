"""The contract suite of sinks: what every sink keeps, ours and those of others.

>>> from archiver.sinks.json_lines import JsonLinesSink, read_emissions
>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     file = f"{folder}/emissions.jsonl"
...     check_sink(lambda: JsonLinesSink(file), lambda: read_emissions(file))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from archiver.sink import Sink
from engine.events import TAG_LENGTH, Alert, Emission, Metric, Tags

Make = Callable[[], Sink]
Read = Callable[[], Iterable[Emission]]
Takes = Callable[[Emission], bool]

_TIME: Final = 1_700_159_892_818_042
_LAST: Final = 2**33 * 1_000_000 - 1  # in 2242; beyond, a float of seconds no longer tells all microseconds apart


def everything(_: Emission) -> bool:
    """Say what a store takes: everything, as nearly all do."""
    return True


def check_sink(make: Make, read: Read, takes: Takes = everything) -> None:
    """Check that a sink keeps its contract.

    Each check uses tags of its own, so that one store serves all, also one that holds other things.

    Args:
        make: opens the sink; each check closes it again.
        read: gives the content of the store. `repeat` of an emission is not compared.
        takes: which emissions are the sink's business; all others it has to pass over without a word.

    Raises:
        AssertionError: a promise is broken; the text says which and what came.
    """
    for check in CHECKS:
        check(make, read, takes)


def check_reads_back(make: Make, read: Read, takes: Takes = everything) -> None:
    """What was written is in the store when `write` returns, and after the sink was closed."""
    mine = _Own("reads_back", takes)
    emissions: list[Emission] = [
        mine.metric(_TIME, 1.5),
        mine.metric(_TIME + 1, 2.0, slot="1"),
        mine.alert(_TIME, firing=True),
    ]
    sink = make()
    try:
        mine.writes(sink, emissions)
        mine.expect(read, emissions, "before the sink is closed")
    finally:
        sink.close()

    mine.expect(read, emissions, "after the sink was closed")


def check_twice_is_once(make: Make, read: Read, takes: Takes = everything) -> None:
    """Writing the same emissions again, whole, in part, in another order or later, leaves the store as it was."""
    mine = _Own("twice_is_once", takes)
    emissions: list[Emission] = [mine.metric(_TIME + n, n / 4) for n in range(20)]
    emissions += [mine.alert(_TIME + n, firing=n % 2 == 0) for n in range(6)]
    for again in (emissions, emissions, emissions[5:9], emissions[::-1], [*emissions[:3], *emissions[:3]]):
        mine.write(make, again)

        mine.expect(read, emissions, f"after {len(again)} of {len(emissions)} were written again")


def check_partial_then_whole(make: Make, read: Read, takes: Takes = everything) -> None:
    """A part that was written before a failure does no harm when the whole is written after it."""
    mine = _Own("partial_then_whole", takes)
    emissions: list[Emission] = [mine.metric(_TIME + n, float(n), slot=str(n % 3)) for n in range(30)]
    mine.write(make, emissions[:17])
    mine.write(make, emissions)

    mine.expect(read, emissions, "after a part and then the whole")


def check_identity(make: Make, read: Read, takes: Takes = everything) -> None:
    """Emissions that differ in name, one tag, one microsecond or the alert's state are different ones."""
    mine = _Own("identity", takes)
    emissions: list[Emission] = [
        mine.metric(_TIME, 1.0),
        mine.metric(_TIME + 1, 1.0),
        mine.metric(_TIME, 1.0, slot="1"),
        mine.metric(_TIME, 1.0, slot="2"),
        mine.metric(_TIME, 1.0, other="1"),
        mine.metric(_TIME, 1.0, name="check_records_total"),
        mine.alert(_TIME, firing=True),
        mine.alert(_TIME, firing=False),
        mine.alert(_TIME, firing=True, name="CheckFailedToo"),
    ]
    mine.write(make, emissions)

    mine.expect(read, emissions, "written together")


def check_tags(make: Make, read: Read, takes: Takes = everything) -> None:
    """Tag values of any script, with the signs that formats use, and of 200 characters come back as they were."""
    mine = _Own("tags", takes)
    texts = ["Zürich", "模型", "🙂", "a b", "a,b=c", 'say "so"', "back\\slash", "it's", "{}", "%s", " ", "null", "0"]
    texts += ["x" * TAG_LENGTH, "é" * TAG_LENGTH, "🙂" * TAG_LENGTH]
    emissions: list[Emission] = [mine.metric(_TIME, 1.0, text=text) for text in texts]
    emissions += [mine.alert(_TIME, firing=True, text=text) for text in texts]
    mine.write(make, emissions)

    mine.expect(read, emissions, "with tags of many kinds")


def check_values(make: Make, read: Read, takes: Takes = everything) -> None:
    """Values come back as the same floats, bit for bit but for the sign of zero."""
    mine = _Own("values", takes)
    values = [0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 1e-7, 5e-324, 2.2250738585072014e-308, 2.0**53 + 2, 1e22, 1.7e308]
    emissions: list[Emission] = [mine.metric(_TIME + n, value) for n, value in enumerate(values)]
    mine.write(make, emissions)

    mine.expect(read, emissions, "with values of all sizes")


def check_times(make: Make, read: Read, takes: Takes = everything) -> None:
    """Times are exact to the microsecond from 1970 to 2242."""
    mine = _Own("times", takes)
    starts = (0, 999_999, 86_399_999_999, 946_684_799_999_999, _TIME, 4_294_967_296_000_000, _LAST - 2)
    emissions: list[Emission] = [mine.metric(start + n, float(n)) for start in starts for n in range(3)]
    emissions += [mine.alert(start, firing=True) for start in starts]
    mine.write(make, emissions)

    mine.expect(read, emissions, "with times from 1970 to 2242")


def check_alerts(make: Make, read: Read, takes: Takes = everything) -> None:
    """An alert comes back whole: state, severity, value or none, summary, runbook and evidence."""
    mine = _Own("alerts", takes)
    whole = mine.alert(_TIME, firing=True, value=0.93)
    whole.summary = 'CPU over 0.9 on "a",\nfür 10 min'
    whole.evidence = {"window": [1.5, 2.0], "text": "ü", "inner": {"none": None, "yes": True}}
    emissions: list[Emission] = [whole, mine.alert(_TIME, firing=False, value=0.1), mine.alert(_TIME + 1, firing=True)]
    mine.write(make, emissions)

    mine.expect(read, emissions, "alerts")


def check_repeats(make: Make, read: Read, takes: Takes = everything) -> None:
    """What is emitted again so that boards see it is written like anything else."""
    mine = _Own("repeats", takes)
    emissions: list[Emission] = [mine.metric(_TIME, 1.0), mine.alert(_TIME, firing=True)]
    for emission in (mine.metric(_TIME + 300_000_000, 1.0), mine.alert(_TIME + 300_000_000, firing=True)):
        emission.repeat = True
        emissions.append(emission)
    mine.write(make, emissions)

    mine.expect(read, emissions, "with repeats")


def check_many(make: Make, read: Read, takes: Takes = everything) -> None:
    """Many thousands at once, of many series, are one call."""
    mine = _Own("many", takes)
    emissions: list[Emission] = [mine.metric(_TIME + n, n / 7, slot=str(n % 250)) for n in range(10_000)]
    mine.write(make, emissions)

    mine.expect(read, emissions, "10,000 in one call")


def check_nothing(make: Make, read: Read, takes: Takes = everything) -> None:
    """Writing nothing is allowed and writes nothing."""
    mine = _Own("nothing", takes)
    mine.write(make, [])

    mine.expect(read, [], "after nothing was written")


def check_refused(make: Make, read: Read, takes: Takes = everything) -> None:
    """A number that is not a number is refused with a reason, all else of the call is written, and closing works."""
    mine = _Own("refused", takes)
    good = [mine.metric(_TIME + n, float(n)) for n in range(4)]
    bad = [mine.metric(_TIME + 10 + n, value) for n, value in enumerate((float("nan"), float("inf"), float("-inf")))]
    sink = make()
    try:
        refused = sink.write([good[0], bad[0], good[1], bad[1], bad[2], *good[2:]])
    finally:
        sink.close()

    expected = [one.time for one in filter(takes, bad)]
    _expect([one.emission.time for one in refused] == expected, f"refused: got {refused}")
    _expect(all(one.reason for one in refused), f"refused: expected reasons, got {refused}")
    mine.expect(read, good, "beside three that are refused")


CHECKS: Final = (
    check_reads_back,
    check_twice_is_once,
    check_partial_then_whole,
    check_identity,
    check_tags,
    check_values,
    check_times,
    check_alerts,
    check_repeats,
    check_many,
    check_nothing,
    check_refused,
)
"""The suite; a test may run them one by one."""


class _Own:
    """Makes emissions that carry the name of one check, and finds them again."""

    def __init__(self, check: str, takes: Takes) -> None:
        self._check = check
        self._takes = takes

    def metric(self, time: int, value: float, *, name: str = "check_records", **tags: str) -> Metric:
        return Metric(name, time, value, Tags({"check": self._check, **tags}))

    def alert(
        self,
        time: int,
        *,
        firing: bool,
        name: str = "CheckFailed",
        value: float | None = None,
        **tags: str,
    ) -> Alert:
        tagged = Tags({"check": self._check, **tags})
        return Alert(name, time, firing, "warning", value, "the check failed", "check-failed", tagged)

    def write(self, make: Make, emissions: Sequence[Emission]) -> None:
        sink = make()
        try:
            self.writes(sink, emissions)
        finally:
            sink.close()

    def writes(self, sink: Sink, emissions: Sequence[Emission]) -> None:
        refused = sink.write(emissions)
        _expect(not refused, f"{self._check}: expected nothing refused, got {refused}")

    def expect(self, read: Read, emissions: Sequence[Emission], when: str) -> None:
        expected = Counter(map(_content, filter(self._takes, emissions)))
        found = Counter(_content(emission) for emission in read() if (emission.tags or {}).get("check") == self._check)
        missing, more = list((expected - found).elements()), list((found - expected).elements())
        _expect(not missing, f"{self._check}, {when}: {len(missing)} missing, such as {missing[:3]}; more: {more[:3]}")
        _expect(not more, f"{self._check}, {when}: {len(more)} more than expected, such as {more[:3]}")


def _content(emission: Emission) -> str:
    parts = msgspec.to_builtins(emission)
    parts["tags"] = sorted(emission.tags.items())
    parts["value"] = None if emission.value is None else emission.value + 0.0
    parts["evidence"] = parts.get("evidence") or {}
    del parts["repeat"]
    return msgspec.json.encode(parts, order="sorted").decode()


def _expect(kept: bool, sentence: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not kept:
        raise AssertionError(sentence)
