"""The table of `make long` shows what the checks gave."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from benchmarks.long import Run, page, read_report, table

REPORT = """<testsuites><testsuite>
<testcase classname="tests.engine.test_cut" file="tests/engine/test_cut.py" name="test_any_cut" time="12.5">
<properties><property name="cuts" value="1000"/></properties></testcase>
<testcase classname="tests.engine.test_cut" name="test_other" time="1"><failure message="no"/></testcase>
</testsuite></testsuites>"""


def test_a_report_gives_a_run_for_each_test() -> None:
    """Name, result, seconds and figures of each test are taken from pytest's report."""
    first, second = read_report(fromstring(REPORT))  # noqa: S314 - the text above

    assert first == Run("tests/engine/test_cut.py: test_any_cut", "passed", 12.5, {"cuts": "1000"})
    assert second == Run("tests.engine.test_cut: test_other", "failure", 1.0, {})


def test_the_table_has_a_line_for_each_run() -> None:
    """Figures stand one after the other; a bar in them does not break the table."""
    lines = table([Run("benchmarks/pipeline.py", "passed", 61.4, {"ratio": 1.234, "text": "a|b"})]).splitlines()

    assert lines[2] == "| `benchmarks/pipeline.py` | passed | 61 | ratio 1.23; text a\\|b |"


def test_the_page_says_how_to_repeat_the_run() -> None:
    """Seed, date and machine stand above the table."""
    text = page([Run("x", "passed", 1.0, {})], 42)

    assert 'make long ARGS="--seed 42"' in text
    assert "seed 42" in text
