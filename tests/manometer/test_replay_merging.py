"""`manometer replay` of several inputs: merged by event time, the order inside a file kept, for all kinds of files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.manometer.commands import counts, place, run

ECHO: Final = """\
from engine.catalogue import MetricSpec
from engine.monitor import Monitor

ECHO = MetricSpec(name="echo_number", kind="gauge", unit="numbers", help="The number of each record, as it comes.")


class Echo(Monitor):
    scope = "stream"
    series = ("stream",)
    emits = (ECHO,)
    reads = dict

    def key(self, record):
        return (record.stream,)

    def on_record(self, record, state):
        return [ECHO.at(record.time, record.value["n"])]
"""
WORKFLOW: Final = """\
workflow: w
plugins: [.]
streams:
  a: {topic: topic-a, decode: json, time: t, key: k}
  b: {topic: topic-b, decode: json, time: t, key: k}
  plain: {topic: topic-plain, decode: json}
monitors:
  - {use: echo, name: echo_a, from: a}
  - {use: echo, name: echo_b, from: b}
  - {use: echo, name: echo_plain, from: plain}
  - {use: arrival, from: a, with: {silent_after: 60s}}
  - {use: arrival, name: arrival_plain, from: plain, with: {silent_after: 1h}}
archive: {topic: archive}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with the workflow and a monitor that shows what comes."""
    place(tmp_path, {"w.yaml": WORKFLOW, "echo.py": ECHO})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jsonl(records: Sequence[dict[str, Any]]) -> str:
    """Write records as lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def recording(stream: str, *messages: tuple[int, int, float, dict[str, Any]]) -> str:
    """Write messages of a topic as a recording: partition, offset, message time and value of each."""
    return jsonl(
        [
            {
                "topic": f"topic-{stream}",
                "partition": number,
                "offset": offset,
                "time": time,
                "key": None,
                "headers": {},
            }
            | {"value": json.dumps(value)}
            for number, offset, time, value in messages
        ]
    )


def emitted(result: Any, name: str) -> list[dict[str, Any]]:
    """Give the emissions of a name, in their order."""
    assert result.exit_code == 0, result.stderr
    return [one for one in map(json.loads, result.stdout.splitlines()) if one["name"] == name]


def echoed(*inputs: str) -> list[tuple[str, float]]:
    """Replay inputs and give the stream and number of each record as it was applied."""
    result = run("replay", "w.yaml", *(f"--input={one}" for one in inputs))
    return [(one["tags"]["stream"], one["value"]) for one in emitted(result, "echo_number")]


def test_inputs_are_merged_by_event_time(folder: Path) -> None:
    """Whatever file a record is in; records of the same time come in the order in which the inputs are named."""
    place(
        folder,
        {"a": jsonl([{"t": t, "n": t} for t in (1, 4, 5)]), "b": jsonl([{"t": t, "n": t} for t in (2, 3, 5, 6)])},
    )

    assert echoed("a=a", "b=b") == [("a", 1), ("b", 2), ("b", 3), ("a", 4), ("a", 5), ("b", 5), ("b", 6)]
    assert echoed("b=b", "a=a") == [("a", 1), ("b", 2), ("b", 3), ("a", 4), ("b", 5), ("a", 5), ("b", 6)]


def test_the_order_inside_a_file_is_kept(folder: Path) -> None:
    """A record that comes late in its file comes late, directly after the one before it."""
    place(
        folder,
        {"a": jsonl([{"t": t, "n": t} for t in (10, 2, 3, 20)]), "b": jsonl([{"t": t, "n": t} for t in (5, 11)])},
    )

    assert echoed("a=a", "b=b") == [("b", 5), ("a", 10), ("a", 2), ("a", 3), ("b", 11), ("a", 20)]


def test_what_is_no_record_holds_nothing_up(folder: Path) -> None:
    """It keeps its place in its file; where its time is what makes it a reject, that time moves nothing."""
    lines = [
        "no JSON",
        '{"t": 1, "n": 1}',
        '{"n": 7}',
        '{"t": "soon", "n": 7}',
        '{"t": 1e12, "n": 7}',
        '{"t": 3, "n": 3}',
    ]
    place(folder, {"a": "\n".join(lines) + "\n", "b": jsonl([{"t": t, "n": t} for t in (2, 4)])})
    result = run("replay", "w.yaml", "--input=a=a", "--input=b=b", "--rejects=rejects")

    assert [one["value"] for one in emitted(result, "echo_number")] == [1, 2, 3, 4]
    rejects = [json.loads(line) for line in (folder / "rejects").read_text().splitlines()]
    assert [(one["offset"], one["headers"]["reason"]) for one in rejects] == [
        (0, "encoding"), (2, "time"), (3, "time"), (4, "time")
    ]  # fmt: skip


def test_a_clock_that_runs_ahead_holds_nothing_up(folder: Path) -> None:
    """A record more than an hour ahead of its message is a reject, and those after it stay among the others."""
    times = [(1, 1.0), (7200, 1.5), (2, 2.0), (3, 3.0)]
    place(folder, {"a": recording("a", *((0, place, sent, {"t": t, "n": t}) for place, (t, sent) in enumerate(times)))})
    place(folder, {"b": jsonl([{"t": t + 0.5, "n": t} for t in (1, 2, 3)])})

    assert echoed("a=a", "b=b") == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]


TIMES = st.lists(st.integers(0, 30), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(TIMES, TIMES)
def test_any_two_files_are_merged_by_the_newest_time_so_far(folder: Path, first: list[int], second: list[int]) -> None:
    """The rule, written down in one line: sort by the largest time in the file up to the record, then by input."""
    place(folder, {"a": jsonl([{"t": t, "n": n} for n, t in enumerate(first)]) or "\n"})
    place(folder, {"b": jsonl([{"t": t, "n": n} for n, t in enumerate(second)]) or "\n"})
    expected = [(max(ts[: n + 1]), s, n) for s, ts in (("a", first), ("b", second)) for n in range(len(ts))]

    assert echoed("a=a", "b=b") == [(stream, float(n)) for _, stream, n in sorted(expected)]


def test_files_longer_than_a_batch_are_merged_too(folder: Path) -> None:
    """Two files of several thousand records, one every second and one every third."""
    place(folder, {"a": jsonl([{"t": 2 * n, "n": n} for n in range(3_000)])})
    place(folder, {"b": jsonl([{"t": 3 * n, "n": n} for n in range(2_000)])})
    times = [n * (2 if stream == "a" else 3) for stream, n in echoed("a=a", "b=b")]

    assert len(times) == 5_000
    assert times == sorted(times)


@pytest.mark.parametrize(("name", "pack"), [("p.jsonl", bytes), ("p.jsonl.gz", gzip.compress), ("-", bytes)])
def test_a_plain_file_has_the_times_of_its_lines(folder: Path, name: str, pack: Any) -> None:
    """Without a time in the record or the message, a line's number in seconds is the time, and there is no delay."""
    data = "".join(f'{{"n": {n}}}\n' for n in range(1, 121)).encode()
    place(folder, {name: pack(data)} if name != "-" else {})
    result = run("replay", "w.yaml", f"--input=plain={name}", stdin=data)

    assert [one["time"] for one in emitted(result, "echo_number")] == [float(n) for n in range(1, 121)]
    assert [(one["time"], one["value"]) for one in emitted(result, "stream_records_total")] == [
        (60.0, 59.0),
        (120.0, 119.0),
    ]
    assert emitted(result, "stream_delay_seconds") == []
    assert counts(result.stderr)["rejects"] == 0


def test_a_plain_file_has_no_check_of_times_ahead(folder: Path) -> None:
    """There is no message time that an event time could be ahead of."""
    place(folder, {"a": jsonl([{"t": 4_000_000_000, "n": 1}])})

    assert echoed("a=a") == [("a", 1.0)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_lines_of_a_csv_file_are_records(folder: Path, pack: Any) -> None:
    """A header names the fields; a cell that is a JSON number is one, an empty one is null, all else is text."""
    data = b'"t",n,text\n5,1.5,"a, ""b"""\n6,2e0,\n7,,x\n'
    name = "a.csv.gz" if pack is gzip.compress else "a.csv"
    place(folder, {name: pack(data)})
    result = run("replay", "w.yaml", f"--input=a={name}", "--rejects=rejects")

    assert [(one["time"], one["value"]) for one in emitted(result, "echo_number")] == [(5.0, 1.5), (6.0, 2.0)]
    (reject,) = [json.loads(line) for line in (folder / "rejects").read_text().splitlines()]
    assert json.loads(reject["value"]) == {"t": 7, "n": None, "text": "x"}
    assert (reject["offset"], reject["headers"]["reason"], reject["headers"]["monitor"]) == (2, "monitor", "echo_a")


def test_kinds_of_files_may_be_mixed(folder: Path) -> None:
    """A recording, a packed CSV file and standard input are merged like any others."""
    place(folder, {"a": recording("a", (0, 7, 3.5, {"t": 3, "n": 1})), "b.csv.gz": gzip.compress(b"t,n\n2,1\n4,2\n")})
    result = run(
        "replay", "w.yaml", "--input=a=a", "--input=b=b.csv.gz", "--input=plain=-", stdin=b'{"n": 1}\n{"n": 2}\n'
    )

    order = [(one["time"], one["tags"]["stream"]) for one in emitted(result, "echo_number")]
    assert order == [(1.0, "plain"), (2.0, "b"), (2.0, "plain"), (3.0, "a"), (4.0, "b")]
    assert [one["value"] for one in emitted(result, "stream_delay_seconds")] == []


TWO_PARTITIONS: Final = recording(
    "a",
    *((n % 2, n // 2, 100.5 + n, {"t": 100 + n, "n": n, "k": f"k{n % 2}"}) for n in range(0, 90, 10)),
    (1, 100, 300.5, {"t": 300, "n": 300, "k": "k1"}),
)


def test_a_monitor_of_the_whole_stream_reads_all_partitions_as_one(folder: Path) -> None:
    """One series, in the order of the recording, and not one a partition."""
    place(folder, {"a": TWO_PARTITIONS})
    result = run("replay", "w.yaml", "--input=a=a")

    assert [one["value"] for one in emitted(result, "echo_number")] == [*range(0, 90, 10), 300]
    totals = emitted(result, "stream_records_total")
    assert [(one["time"], one["value"]) for one in totals[:2]] == [(120.0, 2.0), (180.0, 8.0)]
    assert {tuple(one["tags"].items()) for one in totals} == {
        (("workflow", "w"), ("monitor", "arrival"), ("stream", "a"))
    }
    assert [one["state"] for one in emitted(result, "StreamSilent")] == ["firing", "resolved"]
    assert counts(result.stderr)["messages"] == 10


def test_the_same_input_gives_the_same_bytes_however_it_is_given(folder: Path) -> None:
    """Twice the same command, and a packed file for a plain one."""
    place(
        folder, {"a": TWO_PARTITIONS, "a.gz": gzip.compress(TWO_PARTITIONS.encode()), "b": jsonl([{"t": 105, "n": 1}])}
    )
    outs = [run("replay", "w.yaml", f"--input=a={name}", "--input=b=b").stdout_bytes for name in ("a", "a", "a.gz")]

    assert outs[0].count(b"\n") > 10
    assert len(set(outs)) == 1


@pytest.mark.parametrize(
    ("messages", "skipped"),
    [
        (
            [
                (0, 5, 1, {"t": 1, "n": 1}),
                (0, 5, 1, {"t": 1, "n": 1}),
                (0, 4, 1, {"t": 1, "n": 0}),
                (0, 9, 2, {"t": 2, "n": 2}),
            ],
            2,
        ),
        ([(0, 5, 1, {"t": 1, "n": 1}), (1, 5, 1, {"t": 1, "n": 2}), (0, 6, 1, {"t": 1, "n": 3})], 0),
    ],
)
def test_messages_that_came_before_are_skipped_and_told(
    folder: Path, messages: list[tuple[int, int, float, dict[str, Any]]], skipped: int
) -> None:
    """An offset that is not above the one before it on its partition was applied already; a note says how many."""
    place(folder, {"a": recording("a", *messages)})
    result = run("replay", "w.yaml", "--input=a=a")
    notes = [line for line in result.stderr.splitlines() if "skipped" in line]

    assert [one["value"] for one in emitted(result, "echo_number")] == ([1, 2] if skipped else [1, 2, 3])
    assert [note.split()[0] for note in notes] == ([str(skipped)] if skipped else [])
    assert counts(result.stderr)["messages"] == len(messages)


def test_an_input_that_has_ended_does_not_hold_the_others_back(folder: Path) -> None:
    """A short file beside a long one: what is due in the long one comes at its time."""
    place(folder, {"a": jsonl([{"t": 1, "n": 1}, {"t": 200, "n": 2}]), "b": jsonl([{"t": 1, "n": 1}])})
    result = run("replay", "w.yaml", "--input=b=b", "--input=a=a")

    assert [(one["time"], one["state"]) for one in emitted(result, "StreamSilent")] == [
        (61.0, "firing"),
        (200.0, "resolved"),
    ]
