"""Every monitor of ours keeps the contract, with the options of the sample on its page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.checks import check_monitor
from engine.checks.calls import ROUNDS
from engine.monitor import Monitor
from engine.testing import Line
from engine.workflow import load
from tests.docs.blocks import blocks
from tests.house.declared import monitor_files, pages


@pytest.mark.parametrize("name", list(monitor_files()))
def test_it_keeps_the_contract(name: str, tmp_path: Path) -> None:
    """The monitor of the sample passes the suite that any plugin can be put through."""
    sample = next(block for block in blocks(pages("monitors")[name]) if block.language == "yaml")
    file = tmp_path / "sample.yaml"
    file.write_text(sample.text, encoding="utf-8")

    for attached in load(file).monitors:
        if attached.use == name:
            check_monitor(attached.monitor, until_learned(attached.monitor))


def until_learned(monitor: Monitor) -> Sequence[Line] | None:
    """Give a monitor that learns first so many records that it has learned by half of the suite's rounds."""
    learn = getattr(monitor.options, "learn", None)
    if learn is None:
        return None
    names = monitor.options.fields
    return [(n * 10.0, dict.fromkeys(names, n * 7 % 11)) for n in range(2 * learn // ROUNDS + 1)]
