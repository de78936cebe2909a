from __future__ import annotations

from pathlib import Path

import pytest

from tests.manometer.commands import run


@pytest.mark.parametrize("words", [("--record", "rec"), ("--plain",)])
def test_what_only_the_watching_demo_can_do_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    """With `--kafka` only engines run: options of what watches them end with one sentence and exit code 2."""
    done = run("demo", "--kafka", "127.0.0.1:9092", "--data", tmp_path, *words)

    assert done.exit_code == 2
    assert "a worker does" in done.stderr
    assert not list(tmp_path.iterdir())
