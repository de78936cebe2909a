"""The table of `make long` shows what the checks gave."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from benchmarks.long import Run, drawn_lines, lines_of, page, read_report

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
    """Figures stand one after the other, with date and seed; a bar in them does not break the table."""
    line = drawn_lines([Run("benchmarks/pipeline.py", "passed", 61.4, {"ratio": 1.234, "text": "a|b"})], 42)[
        "benchmarks/pipeline.py"
    ]

    assert line.startswith("| `benchmarks/pipeline.py` | passed | 20")
    assert line.endswith(" | 42 | 61 | ratio 1.23; text a\\|b |")


def test_lines_of_checks_that_were_not_run_again_stay() -> None:
    """What a page holds is read back line by line, so that a part can be run alone."""
    first = drawn_lines([Run("one", "passed", 1.0, {"a": "`b`"}), Run("two", "passed", 2.0, {})], 1)
    second = drawn_lines([Run("two", "failed, exit 1", 3.0, {})], 2)
    text = page({**lines_of(page(first)), **second})

    assert lines_of(text) == {"one": first["one"], "two": second["two"]}
    assert 'make long ARGS="--seed 1 --only WORD"' in text
