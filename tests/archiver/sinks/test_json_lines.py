from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from archiver.sink import Broken
from archiver.sinks.json_lines import JsonLinesSink, read_emissions
from engine.events import Alert, Emission, Metric, Tags, encode

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "engine": "e1"})
POINTS = [Metric("records_per_second", NOON + n, float(n), TAGS) for n in range(3)]
LINES = b"".join(encode(point) + b"\n" for point in POINTS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a store that is not there yet."""
    return tmp_path / "emissions.jsonl"


def write(target: Path | str | io.BytesIO, *calls: list[Metric]) -> None:
    """Open a sink, write, and close it."""
    sink = JsonLinesSink(target)
    for call in calls:
        sink.write(call)
    sink.close()


def test_each_emission_is_a_line_in_the_form_of_the_archive_topic(file: Path) -> None:
    """Lines are added in the order of the calls, also to a file that has some."""
    write(file, POINTS[:1], [], POINTS[1:2])
    write(file, POINTS[2:])

    assert file.read_bytes() == LINES


def test_what_is_written_again_is_there_twice_and_read_once(file: Path) -> None:
    """Readers take the last line of each identity, in the order of these lines."""
    other = Metric("records_per_second", NOON, 7.0, TAGS)
    write(file, POINTS, [other])

    assert file.read_bytes() == LINES + encode(other) + b"\n"
    assert [emission.value for emission in read_emissions(file)] == [1.0, 2.0, 7.0]


def test_every_cut_of_the_last_line_is_mended(tmp_path: Path) -> None:
    """A line that a crash tore off goes when the file is opened again, wherever it was torn; a whole one stays."""
    alert = Alert("EngineSilent", NOON, True, "critical", None, "sïlent", "engine-silent", TAGS)
    for last in (encode(POINTS[2]), encode(alert)):
        for cut in range(len(last) + 1):
            file = tmp_path / "torn.jsonl"
            file.write_bytes(LINES + last[:cut])
            assert len(read_emissions(file)) == 3 + (cut == len(last) and last == encode(alert))
            write(file, POINTS[:1])

            whole = last + b"\n" if cut == len(last) else b""
            assert file.read_bytes() == LINES + whole + LINES.splitlines(keepends=True)[0]


def test_a_file_that_is_one_torn_line_is_mended(file: Path) -> None:
    """Also the first line may have been torn."""
    for cut in (0, 1, 5, 30):
        file.write_bytes(LINES[:cut])
        write(file, POINTS)

        assert file.read_bytes() == LINES


@pytest.mark.parametrize(
    "data",
    [
        b"notes\n",
        b'{"type":"FeatureCollection","features":[]}',
        b'{"type": "metric"}\n',
        LINES + b"notes",
        b"\n" + LINES,
        b"\0\0\0",
    ],
)
def test_a_file_that_holds_something_else_is_left_alone(file: Path, data: bytes) -> None:
    """Nothing is added to, nor cut off from, a file that is not ours."""
    file.write_bytes(data)
    with pytest.raises(Broken) as caught:
        JsonLinesSink(file)

    assert str(caught.value) == f"{file}: holds something else than emissions; choose another file"
    assert file.read_bytes() == data


class Failing:
    """A file whose disk becomes full in the middle of a write."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.room = 100

    def write(self, data: bytes) -> int:
        """Write what there is room for, then fail."""
        if not self.room:
            raise OSError(28, "No space left on device")
        part = bytes(data)[: self.room]
        self.room -= len(part)
        return self._file.write(part)

    def __getattr__(self, name: str) -> object:
        """Be a file in all else."""
        return getattr(self._file, name)


def test_a_failed_write_leaves_the_file_as_it_was(file: Path) -> None:
    """When the disk is full nothing of the call stays; the same call works when there is room."""
    sink = JsonLinesSink(file)
    sink.write(POINTS[:1])
    target = sink._target
    target._file = Failing(target._file)  # type: ignore[attr-defined]  # the inside of a file's target
    with pytest.raises(Broken, match=r"emissions\.jsonl: no space left on device"):
        sink.write(POINTS[1:])

    assert file.read_bytes() == LINES.splitlines(keepends=True)[0]
    target._file.room = 10_000  # type: ignore[attr-defined]  # as above
    sink.write(POINTS[1:])
    sink.close()
    assert file.read_bytes() == LINES


def test_files_that_cannot_be_opened_are_broken(tmp_path: Path) -> None:
    """A folder, a missing folder and a name that is none are told in one sentence."""
    for path, sentence in (
        (tmp_path, "is a directory"),
        (tmp_path / "nowhere" / "a.jsonl", "no such file or directory"),
        ("a\0b", "embedded null byte"),
    ):
        with pytest.raises(Broken) as caught:
            JsonLinesSink(path)
        assert str(caught.value) == f"{path}: {sentence}"
    with pytest.raises(Broken, match="no such file or directory"):
        read_emissions(tmp_path / "nowhere.jsonl")


def test_a_stream_is_written_through_and_left_open() -> None:
    """An open stream gets the lines at once; closing the sink does not close it."""
    stream = io.BytesIO()
    sink = JsonLinesSink(stream)
    sink.write(POINTS)
    seen = stream.getvalue()
    sink.close()

    assert seen == LINES
    assert not stream.closed


def test_stdout_is_a_stream(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`-` is standard output."""
    write("-", POINTS)

    assert capfdbinary.readouterr().out == LINES


def test_a_reader_that_has_gone_is_told() -> None:
    """A pipe without a reader is Broken and not a crash."""
    from_, into = os.pipe()
    os.close(from_)
    with os.fdopen(into, "wb", buffering=0) as stream, pytest.raises(Broken, match="broken pipe"):
        JsonLinesSink(stream).write(POINTS)


def test_a_named_pipe_and_a_device_are_streams(tmp_path: Path) -> None:
    """What is no regular file is neither mended nor flushed to a disk."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(path.read_bytes()))
    reader.start()
    write(path, POINTS)
    reader.join()
    write("/dev/null", POINTS)

    assert seen == [LINES]


def test_what_json_cannot_hold_is_refused_and_the_rest_written(file: Path) -> None:
    """Half characters and evidence that is no JSON are refused one by one."""
    bad: list[Emission] = [
        Metric("m", NOON, 1.0, {"a": "\ud800"}),
        Alert("A", NOON, True, "info", None, "half \ud800", "a", TAGS),
        Alert("A", NOON, True, "info", None, "", "a", TAGS, {"what": object()}),
    ]
    sink = JsonLinesSink(file)
    refused = sink.write([POINTS[0], *bad, *POINTS[1:]])
    sink.close()

    assert [one.emission for one in refused] == bad
    assert all(one.reason.startswith("expected ") for one in refused)
    assert file.read_bytes() == LINES


def test_a_line_that_is_no_emission_is_told_with_its_place(file: Path) -> None:
    """A reader names the line that it cannot read."""
    file.write_bytes(LINES + b"no\n" + LINES)
    with pytest.raises(Broken, match=r"emissions\.jsonl:4: expected an emission"):
        read_emissions(file)


def test_writing_after_closing_is_broken(file: Path) -> None:
    """A closed sink says so."""
    sink = JsonLinesSink(file)
    sink.close()
    with pytest.raises(Broken, match="closed file"):
        sink.write(POINTS)


def test_a_file_that_would_be_too_long_is_put_aside(tmp_path: Path) -> None:
    """Each file stays below the size, the oldest leave, and all that are kept are read in their order."""
    file = tmp_path / "emissions.jsonl"
    points = [Metric("records_total", n, float(n), Tags({"engine": "e1"})) for n in range(40)]
    size = len(encode(points[10])) + 1
    sink = JsonLinesSink(file, rotate=4 * size, files=3)
    for point in points:
        sink.write([point])
    sink.close()

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["emissions.jsonl", "emissions.jsonl.1", "emissions.jsonl.2", "emissions.jsonl.3"]
    assert all(path.stat().st_size <= 4 * size for path in tmp_path.iterdir())
    found = read_emissions(file)
    assert found == points[-len(found) :]
    assert len(found) >= 3 * 3 + 1


def test_a_file_is_put_aside_after_a_restart_too(tmp_path: Path) -> None:
    """What the last process wrote counts; lines of one call stay together."""
    file = tmp_path / "emissions.jsonl"
    points = [Metric("records_total", n, float(n), Tags({"engine": "e1"})) for n in range(6)]
    for start in (0, 3):
        sink = JsonLinesSink(file, rotate=100)
        sink.write(points[start : start + 3])
        sink.close()

    assert len(read_emissions(tmp_path / "emissions.jsonl.1")) == 3
    assert read_emissions(file) == points
