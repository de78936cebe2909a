"""`manometer replay`: the same bytes every time, files that are whole or not there, and errors in one sentence."""

from __future__ import annotations

import gc
import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from archiver.sinks.sqlite import read_points
from engine.events import Message, Reject
from engine.recording.files import open_input
from manometer.cli.replay_results import as_recorded
from tests.house.source import ROOT
from tests.manometer.commands import EMISSIONS, MESSAGES, REPORT, WORKFLOW, counts, place, run, start

RAISING: Final = """\
from engine.monitor import Monitor


class Raising(Monitor):
    def key(self, record):
        return ()

    def on_record(self, record, state):
        raise OSError
"""
TWO_STREAMS: Final = WORKFLOW.replace(
    "monitors:",
    "  requests: {topic: requests, decode: json, time: t}\nmonitors:\n  - {use: arrival, from: requests}",
)
COUNTED: Final = {"messages": 4, "emissions": 3, "rejects": 1}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with a workflow and its input."""
    place(tmp_path, {"w.yaml": WORKFLOW, "m.jsonl": MESSAGES})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    """Name the files of a folder, those that tests begin with left out."""
    return sorted(path.name for path in folder.iterdir() if path.name not in {"w.yaml", "m.jsonl"})


def test_emissions_go_to_standard_output_and_counts_to_standard_error(folder: Path) -> None:
    """One emission a line, nothing else; the counts are one JSON object, the last line on standard error."""
    result = run("replay", "w.yaml", "--input", "notify=m.jsonl")
    counted = counts(result.stderr)
    seconds = counted.pop("seconds")

    assert (result.exit_code, result.stdout_bytes) == (0, EMISSIONS)
    assert counted == COUNTED
    assert isinstance(seconds, float)


def test_the_same_input_gives_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, whatever order their sets have, write the shipped day alike, its rejects too, also packed."""
    day = ROOT / "data"
    inputs = [f"--input={name}={day / f'demo-day.{name}.jsonl.gz'}" for name in ("notify", "requests")]
    written = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        files = folder / f"out{seed}.gz", folder / f"rejects{seed}"
        done = start("replay", "workflows/day.yaml", *inputs, "--out", files[0], "--rejects", files[1])
        written.append([file.read_bytes() for file in files])
        counted = counts(done.stderr)
        assert len(gzip.decompress(written[-1][0]).splitlines()) == counted["emissions"] > 10_000
        assert len(written[-1][1].splitlines()) == counted["rejects"] > 10

    assert written[0] == written[1]


@pytest.mark.parametrize("name", ["m.jsonl", "m.jsonl.gz", "-"])
def test_every_way_to_give_the_input_gives_the_same(folder: Path, name: str) -> None:
    """A file, a compressed one and standard input are the same messages."""
    place(folder, {"m.jsonl.gz": gzip.compress(MESSAGES)})

    result = run("replay", "w.yaml", "--input", f"notify={name}", stdin=MESSAGES)

    assert (result.exit_code, result.stdout_bytes) == (0, EMISSIONS)


def test_results_go_where_they_are_sent(folder: Path) -> None:
    """With files named nothing comes on standard output, and the files hold what would have come."""
    result = run("replay", "w.yaml", "--input", "notify=m.jsonl", "--out", "o.gz", "--rejects", "r.jsonl")

    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert gzip.decompress((folder / "o.gz").read_bytes()) == EMISSIONS
    assert names(folder) == ["o.gz", "r.jsonl"]


@pytest.mark.parametrize(("words", "printed"), [([], b""), (["--out", "-"], EMISSIONS)])
def test_a_store_takes_the_place_of_standard_output(folder: Path, words: list[str], printed: bytes) -> None:
    """With only a store nothing is printed, `--out -` prints all the same; a second replay adds nothing."""
    for _ in range(2):
        result = run("replay", "w.yaml", "--input", "notify=m.jsonl", "--store", "s.db", *words)

        assert (result.exit_code, result.stdout_bytes) == (0, printed)
    assert [(point.name, point.value) for point in read_points("s.db")] == [
        ("engine_state", 1.0),
        ("records_per_second", 5.0),
        ("records_per_second", 7.0),
    ]


def test_a_store_is_written_in_batches(folder: Path) -> None:
    """More emissions than one transaction takes are all there."""
    reports = "".join(REPORT % (second, second, 1) for second in range(60)).replace("e1", "%s")
    place(folder, {"many.jsonl": "".join(reports % ((f"e{engine}",) * 60) for engine in range(400))})

    result = run("replay", "w.yaml", "--input", "notify=many.jsonl", "--store", "s.db")

    with closing(sqlite3.connect("s.db")) as store:
        (stored,) = store.execute("SELECT count(*) FROM points").fetchone()
    assert stored == counts(result.stderr)["emissions"] == 400 * 60


def test_rejects_are_a_recording_with_the_reasons_in_the_headers(folder: Path) -> None:
    """A reject keeps its bytes, and its headers say what, why and where; the recording can be read again."""
    run("replay", "w.yaml", "--input", "notify=m.jsonl", "--rejects", "r.jsonl", "--out", "o")

    with open_input("r.jsonl", "other") as given:
        ((message,),) = given.batches()
    assert isinstance(message, Message)
    assert (message.topic, message.offset, message.value) == ("notify", 2, b"no JSON, and \xff no UTF-8")
    headers = dict(message.headers)
    assert headers.pop("detail").startswith(b"expected ")
    assert headers == {"reason": b"encoding", "topic": b"notify", "partition": b"0", "offset": b"2"}


def test_headers_of_the_message_come_first_and_those_of_an_earlier_reject_are_left_out() -> None:
    """A reject that was sent again and failed again tells of this failure; everything else it carried stays."""
    headers = (("trace", b"1"), ("reason", b"schema"))
    message = Message("notify", 0, 7, 5, b"k", b"{}", headers)

    recorded = as_recorded(Reject(message, "monitor", "it raised", "health"))

    assert [name for name, _ in recorded.headers] == [
        "trace", "reason", "detail", "topic", "partition", "offset", "monitor"
    ]  # fmt: skip
    assert dict(recorded.headers)["reason"] == b"monitor"
    assert (recorded.time, recorded.key, recorded.value) == (5, b"k", b"{}")


def test_a_reject_of_two_monitors_is_two_lines_and_one_message(folder: Path) -> None:
    """The count is of distinct messages; the recording has a line for each monitor that failed."""
    workflow = WORKFLOW.replace("streams:", "plugins: [.]\nstreams:").replace(
        "{use: health, from: notify}", "{use: raising, from: notify}\n  - {use: raising, name: again, from: notify}"
    )
    place(folder, {"w.yaml": workflow, "raising.py": RAISING, "m.jsonl": REPORT % (10, 1, 50)})

    result = run("replay", "w.yaml", "--input", "notify=m.jsonl", "--rejects", "r.jsonl")

    lines = [json.loads(line) for line in (folder / "r.jsonl").read_bytes().splitlines()]
    assert [line["headers"]["monitor"] for line in lines] == ["raising", "again"]
    assert counts(result.stderr)["rejects"] == 1
    assert result.exit_code == 0


def test_streams_are_merged_and_one_without_input_is_told(folder: Path) -> None:
    """Inputs come in the order of event time; what no file feeds is said before the counts."""
    requests = '{"t": 1704067205}\n{"t": 1704067300}\n'
    place(folder, {"w.yaml": TWO_STREAMS, "r.jsonl": requests})

    both = run("replay", "w.yaml", "--input", "requests=r.jsonl", "--input", "notify=m.jsonl")
    one = run("replay", "w.yaml", "--input", "notify=m.jsonl")

    times = [json.loads(line)["time"] for line in both.stdout.splitlines()]
    assert times == sorted(times)
    assert 1704067260.0 in times
    assert one.stdout_bytes == EMISSIONS
    assert one.stderr.startswith("no --input for requests; monitors see nothing of it\n{")


def test_partitions_are_counted_from_the_recording(folder: Path) -> None:
    """A recording of several partitions runs as several: what lies on the wrong one is noticed."""
    line = {"topic": "notify", "offset": 0, "time": 1704067210.0, "key": "other", "headers": {}}
    recorded = [{**line, "partition": number, "value": REPORT % (10, 1, 50)} for number in (0, 3)]
    place(folder, {"m.jsonl": "".join(json.dumps(one) + "\n" for one in recorded)})

    result = run("replay", "w.yaml", "--input", "notify=m.jsonl")

    misplaced = [json.loads(line) for line in result.stdout.splitlines() if "RecordsMisplaced" in line]
    assert [alert["tags"]["partition"] for alert in misplaced] == ["0", "3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("replay none.yaml --input notify=m.jsonl", "none.yaml: cannot be read: no such file or directory"),
        ("replay bad.yaml --input notify=m.jsonl", "bad.yaml cannot run; correct what is told above"),
        ("replay w.yaml", "expected --input STREAM=FILE at least once. The workflow has: notify."),
        ("replay w.yaml --input notify", 'expected --input STREAM=FILE, got "notify"'),
        ("replay w.yaml --input notify=", 'expected --input STREAM=FILE, got "notify="'),
        (
            "replay w.yaml --input notfy=m.jsonl",
            'unknown stream "notfy". The workflow has: notify. Did you mean "notify"?',
        ),
        (
            "replay w.yaml --input notify=m.jsonl --input notify=m.jsonl",
            'two inputs for the stream "notify"; put them into one file, in their order',
        ),
        ("replay two.yaml --input notify=- --input requests=-", "standard input can be read for one stream only"),
        ("replay w.yaml --input notify=none", "none: cannot be read: no such file or directory"),
        ("replay w.yaml --input notify=.", ".: cannot be read: is a directory"),
        ("replay w.yaml --input notify=cut.gz", "cut.gz: the gzip data ends too early; the file was cut off"),
        ("replay w.yaml --input notify=m.gz", "m.gz: expected gzip data because of its name"),
        ("replay w.yaml --input notify=broken", "broken:2: expected a message of a recording"),
        ("replay w.yaml --input notify=m.jsonl --out no/o", "no/o: cannot be written: no such file or directory"),
        ("replay w.yaml --input notify=m.jsonl --rejects .", ".: cannot be written: is a directory"),
        ("replay w.yaml --input notify=m.jsonl --store no/s", "no/s: unable to open database file"),
        ("replay w.yaml --input notify=m.jsonl --store m.gz", "m.gz: file is not a database"),
        (
            "replay w.yaml --input notify=m.jsonl --out x --rejects ./x",
            "--rejects ./x is --out as well; choose another file",
        ),
        (
            "replay w.yaml --input notify=m.jsonl --out ./m.jsonl",
            "--out ./m.jsonl is the workflow or an input as well; choose another file",
        ),
        (
            "replay w.yaml --input notify=m.jsonl --out - --rejects -",
            "--rejects - is --out as well; choose another file",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder: Path, words: str, said: str) -> None:
    """Exit code 2, the reason in one line at the end of standard error, and no file that was not there before."""
    place(folder, {"bad.yaml": "workflow: w\n", "two.yaml": TWO_STREAMS, "m.gz": MESSAGES})
    place(folder, {"cut.gz": gzip.compress(MESSAGES)[:-20]})
    place(folder, {"broken": '{"topic":"notify","partition":0,"offset":0,"value":"{}"}\nno recording\n'})
    before = names(folder)

    result = run(*words.split())

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {said}")
    assert names(folder) == before


def test_a_workflow_with_mistakes_is_told_as_check_tells_it(folder: Path) -> None:
    """Every finding stands on a line of its own on standard error before the error."""
    place(folder, {"bad.yaml": WORKFLOW.replace("use: health", "use: helth").replace("decode: sensors", "decod: 1")})
    checked = run("check", "bad.yaml").stdout

    result = run("replay", "bad.yaml", "--input", "notify=m.jsonl")

    assert result.exit_code == 2
    assert result.stderr == f"{checked}Error: bad.yaml cannot run; correct what is told above\n"


def test_a_failed_replay_leaves_the_old_result(folder: Path) -> None:
    """A result that was there stays as it was when the input breaks off in the middle."""
    lines = [json.dumps({"topic": "notify", "partition": 0, "offset": n, "value": "{}"}) for n in range(5_000)]
    place(folder, {"m.jsonl": "\n".join([*lines, '{"topic":']), "out": "old"})

    result = run("replay", "w.yaml", "--input", "notify=m.jsonl", "--out", "out")

    assert (result.exit_code, (folder / "out").read_text(encoding="utf-8")) == (2, "old")
    assert "m.jsonl:5001: the last line is cut off" in result.stderr
    assert names(folder) == ["out"]


def test_pipes_and_devices_are_written_straight(folder: Path) -> None:
    """`--out /dev/stdout` into a pipe and `--rejects /dev/null` work; they cannot be replaced by a file."""
    done = start(
        "replay", "w.yaml", "--input", "notify=-", "--out", "/dev/stdout", "--rejects", "/dev/null",
        stdin=MESSAGES, cwd=folder,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, EMISSIONS)


def test_the_collector_is_left_as_it_was(folder: Path) -> None:
    """What a replay changes in the interpreter for its speed, it changes back, also when it fails."""
    before = gc.get_threshold()

    run("replay", "w.yaml", "--input", "notify=m.jsonl", "--out", "o")
    run("replay", "w.yaml", "--input", "notify=none", "--out", "o")

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
