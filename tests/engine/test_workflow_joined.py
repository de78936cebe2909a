"""Workflow files with monitors that read two streams: what `from:` and `with:` may say, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from engine.times import HOUR, SECOND
from engine.workflow import check, load

FILE: Final = """\
workflow: lstm
streams:
  notify: {topic: notify, decode: sensors}
  left: {topic: a, decode: json, key: id}
  right: {topic: b, decode: json, key: [id]}
  plain: {topic: c, decode: json}
  one: {topic: d, decode: json, key: id, repartition: one}
plugins: [.]
archive: {topic: archive}
monitors:
  - {use: two, %s}
"""
BOTH: Final = "from: {a: left, b: right}"
TWO: Final = """\
from engine.monitor import Monitor
class Two(Monitor):
    inputs = ("a", "b")
"""

MISTAKES: Final = [
    ("from: {a: left, c: right}", "from.c", "unknown input of two. It takes: a, b"),
    ("from: {a: left}", "from", "two needs a stream for its input b"),
    ("from: {a: x, b: right}", "from.a", 'unknown stream "x"'),
    ("from: {a: metrics, b: right}", "from.a", "metrics are read alone"),
    ("from: left", "from", "expected a map of a, b to streams"),
    ("from: {a: left, b: left}", "from", "expected two streams, got left for both inputs"),
    ("from: {a: left, b: plain}", "from.b", "the stream plain has no key:, by which its records are joined"),
    ("from: {a: one, b: right}", "from", "only one says repartition: one; joined streams have equal numbers"),
    (f"{BOTH}, with: {{wait: soon}}", "with.wait", "expected a duration"),
    (f"{BOTH}, with: {{pending: 0}}", "with.pending", "expected"),
    (f"{BOTH}, with: {{wat: 5s}}", "with.wat", "unknown option"),
]


def write(folder: Path, entry: str, plugin: str = TWO) -> Path:
    """Write a workflow file with one monitor, and the plugin that it uses."""
    (folder / "two.py").write_text(plugin, encoding="utf-8")
    path = folder / "lstm.yaml"
    path.write_text(FILE % entry, encoding="utf-8")
    return path


@pytest.mark.parametrize(("entry", "where", "said"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_is_told_where_it_is(entry: str, where: str, said: str, tmp_path: Path) -> None:
    """Each finding names the line, the key and what was expected."""
    found = [finding for finding in check(write(tmp_path, entry)) if finding.path == f"monitors[0].{where}"]

    assert [(finding.line, said in finding.message) for finding in found] == [(11, True)]


def test_the_engine_reads_wait_and_pending(tmp_path: Path) -> None:
    """They stand in `with:` also where the monitor has no options of its own, and have defaults."""
    (given,) = load(write(tmp_path, f"{BOTH}, with: {{wait: 90s, pending: 7}}")).monitors
    (default,) = load(write(tmp_path, BOTH)).monitors

    assert (given.wait, given.pending) == (90 * SECOND, 7)
    assert (default.wait, default.pending) == (HOUR, 100_000)
    assert (default.sources, default.forget_after) == ({"a": "left", "b": "right"}, None)


def test_a_monitor_may_have_them_as_its_own(tmp_path: Path) -> None:
    """Where its options say `wait`, the monitor knows it, and may have another default."""
    path = write(tmp_path, "from: {threshold: 1}")
    text = "use: prediction_divergence, from: {prediction: left, truth: right}, with: {wait: 5s}"
    path.write_text(FILE.replace("use: two, %s", text), encoding="utf-8")

    (attached,) = load(path).monitors

    assert (attached.wait, attached.monitor.options.wait) == (5 * SECOND, 5 * SECOND)


def test_both_streams_may_say_repartition_one(tmp_path: Path) -> None:
    """Joined streams that both go through a topic of one partition are fine."""
    path = write(tmp_path, "from: {a: one, b: right}")
    path.write_text(
        path.read_text(encoding="utf-8").replace("key: [id]", "key: id, repartition: one"), encoding="utf-8"
    )

    assert len(load(path).monitors) == 1


@pytest.mark.parametrize("inputs", ['("a",)', '("a", "a")', '("a", "b", "c")'])
def test_a_plugin_has_two_inputs_or_none(inputs: str, tmp_path: Path) -> None:
    """Any other number of inputs is a slip of the plugin, and told as one."""
    path = write(tmp_path, BOTH, TWO.replace('("a", "b")', inputs))

    assert any("inputs: expected the names of two inputs, or none" in finding.message for finding in check(path))
