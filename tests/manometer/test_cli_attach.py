from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import load
from manometer.attaching import NotAttached, read_option, with_entry
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import plan_of, run_to
from tests.manometer.commands import run
from tests.manometer.on_kafka import keys
from tests.services.secured import Secured

WORKFLOW = """\
# The first line.
workflow:   small      # aligned by hand
streams:
  notify: {topic: notify,   decode: sensors}

monitors:
  # How fast.
  - {use: throughput, from: notify}   # the first

  - use: health
    from: notify
    with:
      silent_after: 60s   # a minute
# Below the monitors.
archive: {topic: archive}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a workflow file with comments and blanks everywhere."""
    found = tmp_path / "small.yaml"
    found.write_text(WORKFLOW, encoding="utf-8")
    found.chmod(0o640)
    return found


def test_one_line_is_added_and_nothing_else_changes(path: Path) -> None:
    """Comments, blanks and alignment stay; the diff is printed; the file keeps its rights."""
    result = run("attach", "throughput", "--to", "notify", "--name", "totals", "--with", "counts=total", path)
    line = "  - {use: throughput, name: totals, from: notify, with: {counts: total}}\n"

    assert (result.exit_code, result.stderr) == (0, "to take it up, send SIGHUP to the workers, or start them again\n")
    assert path.read_text(encoding="utf-8") == WORKFLOW.replace("# Below", f"{line}# Below")
    assert f"+{line}" in result.stdout
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(path).monitors[-1].name == "totals"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("throughput --to notify", "a monitor is called 'throughput' already; give it a --name, such as throughput_2"),
        ("record_count --to notify --name health", "choose another --name, such as health_2"),
        ("thruput --to notify", 'Did you mean "throughput"?'),
        ("record_count --to notfy", 'Did you mean "notify"?'),
        ("health --to notify --name h --with silent_aftr=60s", 'Did you mean "silent_after"?'),
        ("health --to notify --name h --with silent_after=soon", "expected a duration"),
        ("health --to notify --name h --with silent_after", "expected KEY=VALUE"),
        ("health --to notify --name h --with expected=true --with expected=false", "given before"),
        ("health --to notify --name h --with expected=yes", "write true or false"),
        ("health --to notify --name h --tag time=a", "time"),
        ("health --to notify --to b --name h", "INPUT=STREAM"),
    ],
)
def test_a_mistake_leaves_the_file_as_it_was(path: Path, words: str, told: str) -> None:
    """It is told in the words of `manometer check`, with the file that was named; exit code 2."""
    result = run("attach", *words.split(), path)

    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert ".part" not in result.stderr
    assert path.read_text(encoding="utf-8") == WORKFLOW
    assert list(path.parent.iterdir()) == [path]


def test_a_file_with_mistakes_is_not_touched(path: Path) -> None:
    """What was wrong before is told first."""
    path.write_text(f"{WORKFLOW}foo: bar\n", encoding="utf-8")
    result = run("attach", "record_count", "--to", "notify", path)

    assert (result.exit_code, "foo: unknown key" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("monitors:\n- {use: a}", "monitors:\n- {use: a}\n- {use: b, from: s}\n"),
        ("monitors:\r\n  - use: a\r\nx: 1\r\n", "monitors:\r\n  - use: a\r\n  - {use: b, from: s}\r\nx: 1\r\n"),
        ("monitors: []  # none yet\n", "monitors: [{use: b, from: s}]  # none yet\n"),
        ("monitors: [{use: a}]\n", "monitors: [{use: a}, {use: b, from: s}]\n"),
        ('{"monitors": [{"use": "a"}]}', '{"monitors": [{"use": "a"}, {"use": "b", "from": "s"}]}'),
        (
            "monitors:\n  - use: a\n    with:\n      text: |\n        one\n\n# c\n",
            "monitors:\n  - use: a\n    with:\n      text: |\n        one\n  - {use: b, from: s}\n\n# c\n",
        ),
        (
            "monitors:\n  - use: a\n    tags: {\n      b: c}  # d\n",
            "monitors:\n  - use: a\n    tags: {\n      b: c}  # d\n  - {use: b, from: s}\n",
        ),
    ],
)
def test_whatever_a_list_looks_like_it_grows_at_its_end(text: str, expected: str) -> None:
    """In blocks and in brackets, with and without a last line end, behind a text of several lines, in JSON."""
    assert with_entry(text, {"use": "b", "from": "s"}) == expected


@pytest.mark.parametrize("text", ["", "a: b", "monitors: 7", "monitors:\n", "[1", "- a"])
def test_without_a_list_there_is_no_place(text: str) -> None:
    """The sentence says what to write."""
    with pytest.raises(NotAttached):
        with_entry(text, {"use": "b"})


def test_a_long_entry_goes_over_several_lines() -> None:
    """One key a line, so that people can read it."""
    entry = {"use": "b", "from": "s", "with": {"summary": "a, b: {c} " * 9, "above": 0.5}}
    lines = with_entry("monitors:\n  - use: a\n", entry).splitlines()

    assert [line[:10] for line in lines[2:]] == ["  - use: b", "    from: ", "    with: "]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60s", "60s"),
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ("[a, b]", ["a", "b"]),
        ('"7"', "7"),
        ("${HOME}", "${HOME}"),
    ],
)
def test_values_are_read_as_a_workflow_file_has_them(text: str, value: object) -> None:
    """Numbers are numbers, and a text that looks like one is quoted."""
    assert read_option(f"key={text}") == ("key", value)


@pytest.mark.parametrize("text", ["key", "=7", "key=[a", "key=*a"])
def test_what_is_no_option_is_refused(text: str) -> None:
    """Before the file is looked at."""
    with pytest.raises(ValueError, match=r"expected|key"):
        read_option(text)


PAIRED: dict[str, Any] = {
    "streams": {
        side: {"topic": f"SMALL.{side}", "decode": "json", "time": "t", "key": "id", "idle_after": "off", "lateness": 0}
        for side in ("predictions", "truth")
    },
    "monitors": [{"use": "arrival", "name": side, "from": side} for side in ("predictions", "truth")],
}


def test_a_new_group_begins_at_the_end_where_kafka_is_named(broker: Secured, tmp_path: Path) -> None:
    """What lay on the topics is not joined, what comes from now on is; without --kafka all would be."""
    name = cluster.fresh("attached")
    plan, path = plan_of(tmp_path, json.loads(json.dumps({**keys(name), **PAIRED}).replace("SMALL", name)))
    cluster.create_all(broker.address, plan)

    def write(*times: int) -> None:
        for stream in plan.streams.values():
            lines = [b'{"t":%d,"id":"%d","value":1.0}' % (time, time) for time in times]
            cluster.write(broker.address, stream.topic, [Written(line, b"k") for line in lines])

    write(1, 2, 3)
    words = ("--to", "prediction=predictions", "--to", "truth=truth", "--with", "threshold=0.05", path)
    attached = run("attach", "prediction_divergence", *words, "--kafka", broker.address)
    write(4, 5)
    after = load(path)
    offsets = {(stream.topic, 0): 5 for stream in plan.streams.values()}
    run_to(broker, after, offsets)

    assert (attached.exit_code, "predictions+truth is new: it begins at the end" in attached.stderr) == (0, True)
    archived = cluster.archive(broker.address, after)
    firsts = {one.headers["group"]: int(one.headers["first"]) for one in reversed(archived) if "first" in one.headers}
    assert firsts == {"predictions": 0, "truth": 0, "predictions+truth": 3}
