from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.process import ROOT
from tests.fuzz.changes import changed
from tests.fuzz.targets import TARGETS

SECONDS = int(os.environ.get("FUZZ_SECONDS", "600"))
MEGABYTES = 512
each_target = pytest.mark.parametrize("name", list(TARGETS))


@each_target
def test_changed_examples_do_no_harm(name: str) -> None:
    """Three thousand changed examples: each is taken or refused as it should be, and nothing else happens."""
    target, examples = TARGETS[name]

    for data in changed(examples, seed=int(os.environ.get("SEED", "1")), count=3_000):
        target(data)


@pytest.mark.long
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not there: Linux, Python below 3.14"
)
@each_target
def test_ten_minutes_of_fuzzing_do_no_harm(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Guided by coverage, for ten minutes (FUZZ_SECONDS changes that): no failure, no hang, no growth of memory."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    command = [sys.executable, str(ROOT / "tests" / "fuzz" / "atheris_run.py"), name, str(corpus)]
    command += [f"-max_total_time={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-timeout=10", "-max_len=4096"]
    command += [f"-artifact_prefix={tmp_path}/"]

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3_000:]
    runs = re.findall(r"Done (\d+) runs", done.stderr)
    assert runs, done.stderr[-3_000:]
    record_property("runs", int(runs[-1]))
