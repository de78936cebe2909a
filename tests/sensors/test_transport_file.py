from __future__ import annotations

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sensors.transport import Batch
from sensors.transports.file import File
from tests.house.source import ROOT

BATCH = Batch("a1", b"e1", (b'{"n":1}', b'{"n":2}'))


def test_batches_are_appended(tmp_path: Path) -> None:
    """One message a line, after what stands there already."""
    path = tmp_path / "notify.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    for _ in range(2):
        File(path).deliver(BATCH)

    assert path.read_text(encoding="utf-8").splitlines() == ["{}", '{"n":1}', '{"n":2}', '{"n":1}', '{"n":2}']


def test_a_file_that_was_moved_away_begins_anew(tmp_path: Path) -> None:
    """Whoever rotates files needs to tell nobody."""
    path = tmp_path / "notify.jsonl"
    file = File(str(path))
    file.deliver(BATCH)
    path.rename(tmp_path / "old.jsonl")
    file.deliver(BATCH)

    assert path.read_bytes() == (tmp_path / "old.jsonl").read_bytes()


def test_many_engines_may_write_to_one_file(tmp_path: Path) -> None:
    """Lines of several writers never run into each other."""
    path = tmp_path / "notify.jsonl"
    lines = [b"%d:" % writer + b"x" * 5_000 for writer in range(8)]

    with ThreadPoolExecutor(8) as writers:
        for line in lines * 20:
            writers.submit(File(path).deliver, Batch("a", b"e", (line, line)))

    assert sorted(path.read_bytes().splitlines()) == sorted(lines * 40)


def test_what_cannot_be_opened_is_an_error_to_try_again(tmp_path: Path) -> None:
    """A folder that is not there yet is an OSError; once it is there, the same transport writes."""
    file = File(tmp_path / "later" / "notify.jsonl")
    with pytest.raises(OSError, match="later"):
        file.deliver(BATCH)
    (tmp_path / "later").mkdir()
    file.deliver(BATCH)

    assert (tmp_path / "later" / "notify.jsonl").read_bytes() == b'{"n":1}\n{"n":2}\n'


FULL_DISK = """
import resource, signal, sys
from sensors.transport import Batch
from sensors.transports.file import File
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
batch, file = Batch("a", b"e", (b"1" * 60, b"2" * 60)), File(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        file.deliver(batch)
    except OSError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.deliver(batch)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE") or os.name != "posix", reason="needs limits of file sizes")
def test_a_full_disk_tears_no_line_of_the_next_batch(tmp_path: Path) -> None:
    """A write that was cut off leaves one torn line; the batch comes again whole, on lines of its own."""
    path = tmp_path / "notify.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "only 100 of 122 bytes could be written" in done.stdout
    assert path.read_bytes().splitlines()[-2:] == [b"1" * 60, b"2" * 60]
    assert path.read_bytes().splitlines()[:2] == [b"1" * 60, b"2" * 39]
