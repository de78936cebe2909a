from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Notes, TooManyFindings
from engine.nodes import Items, Map, Scalar, place, plain
from engine.scalars import AmbiguousScalarError, plain_scalar
from engine.strict_json import is_json, read_json, syntax_mistake
from engine.strict_yaml import read_yaml
from engine.variables import MOST_TEXT, VariableError, Variables

ENVIRON = {"SITE": "berlin", "PORT": "9092", "ZEROS": "012", "EMPTY": "", "BROKEN": "\udcff"}


def read(text: str) -> tuple[Any, list[str]]:
    """Read YAML; gives the plain value and the findings."""
    notes = Notes("f.yaml", lines=text.count("\n") + 1)
    node = read_yaml(text, notes, variables=Variables(ENVIRON))
    return (None if node is None else plain(node)), [str(finding) for finding in notes.findings]


def read_as_json(text: str) -> tuple[Any, list[str]]:
    """Read JSON; gives the plain value and the findings."""
    notes = Notes("f.json", lines=text.count("\n") + 1)
    node = read_json(text, notes, variables=Variables(ENVIRON))
    return (None if node is None else plain(node)), [str(finding) for finding in notes.findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("12", 12),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ("off", "off"),
        ("y", "y"),
        ("60s", "60s"),
        ("1.2.3", "1.2.3"),
        ("host:9092", "host:9092"),
        ("05964876-aa92-4a93-b040-faa6abb817f3", "05964876-aa92-4a93-b040-faa6abb817f3"),
        ("2026-01", "2026-01"),
        ("nothing", "nothing"),
        ("=", "="),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    """Words are true, false and null, numbers are those of JSON, all else is text."""
    found = plain_scalar(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("no", "No", "NO", "yes", "YES", "on", "On", "OFF", "Off"),
        *("True", "TRUE", "False", "Null", "NULL"),
        *("012", "-01", "00", "01.5", "+012"),
        *("0o17", "0x1F", "0b11", "0X1f"),
        *("1_000", "+12", ".5", "5.", "+1.5", "1_0.5", "1.e3"),
        *("1:30", "12:30:45", "-1:30"),
        *(".inf", "-.Inf", ".nan", ".NAN"),
        *("2026-01-31", "2026-1-1", "2026-01-31T12:00:00Z", "2026-01-31 12:00:00"),
        *("1e400", "9223372036854775808", "9" * 5000),
    ],
)
def test_an_ambiguous_scalar_is_refused_and_told_how_to_write(text: str) -> None:
    """What readers of YAML 1.1 and 1.2 read differently, or no workflow can use, is an error that says what to do."""
    with pytest.raises(AmbiguousScalarError, match=r"quoted text|expected less than"):
        plain_scalar(text)


def test_quotes_make_text() -> None:
    """Everything that is ambiguous without quotes is text in them, in single, double and block form."""
    value, found = read("a: 'no'\nb: \"012\"\nc: |\n  1:30\nd: >-\n  2026-01-31\n")

    assert value == {"a": "no", "b": "012", "c": "1:30\n", "d": "2026-01-31"}
    assert found == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("a:\n  b: no\n", "f.yaml:2: a.b: no is a truth value to some YAML readers and text to others; write true or"),
        ("a: &x 1\n", 'f.yaml:1: a: the anchor "x"'),
        ("a: 1\nb: *x\n", 'f.yaml:2: b: the alias "x"'),
        ("a: !!str 1\n", 'f.yaml:1: a: the tag "tag:yaml.org,2002:str"'),
        ("a: !own 1\n", 'f.yaml:1: a: the tag "!own"'),
        ("a: {b: 1}\nc:\n  <<: {d: 1}\n", "f.yaml:3: c: the merge key <<"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: a duplicate key; it stands at line 1 already"),
        ("a: {b: 1, b: 2}\n", "f.yaml:1: a.b: a duplicate key"),
        ("12: a\n", "f.yaml:1: 12: expected a text as the key of a map, got 12; quote it"),
        ("a:\n  ? [b]\n  : c\n", "f.yaml:2: a: expected a text as the key of a map, got a list or a map"),
        ("%YAML 1.1\n---\na: 1\n", "f.yaml:1: file: a directive"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2: file: a second document"),
        ("a:\n\tb: 1\n", "f.yaml:2: file: a tab (column 1); YAML is indented and separated with spaces only"),
        ("a:\tb\n", "f.yaml:1: file: a tab (column 3)"),
        ("a: ${UNSET}\n", "f.yaml:1: a: the environment has no variable UNSET; set it, or write ${UNSET:-default}"),
        ("a: ${SITES}\n", 'Did you mean "SITE"?'),
        ("a: b-${1}\n", 'f.yaml:1: a: "${" begins no variable'),
        ("a: ${BROKEN}\n", "f.yaml:1: a: the variable BROKEN of the environment is not UTF-8"),
        ("{a: ${SITE}}\n", 'f.yaml:1: file: inside { } and [ ] a variable is written in quotes: "${NAME}" (column 6)'),
        ('a: "\\ud800"\n', "f.yaml:1: a: half of a surrogate pair"),
        ('a: 1\nb: "\\U00110000"\n', "f.yaml:2: file: this is no YAML: chr()"),
        ("a: \x07\n", "f.yaml:1: file: the character U+0007"),
        ("# a\u2028b: 1\nc: d\n", "f.yaml:1: file: the character U+2028"),
        ("a: b: c\n", 'f.yaml:1: file: a ":" where no key can stand'),
        ("a:\n  b: 1\n c: 2\n", "f.yaml:3: file: this does not line up"),
        ("a: 'b\n", "f.yaml:2: file: a quoted text that never ends"),
        ("a: [b\n", "f.yaml:2: file: this is no YAML: expected ',' or ']'"),
        ("[" * 40, "f.yaml:1: file: nested more than 32 levels deep"),
        ("a: [" + "b," * 50_001, "f.yaml:1: file: more than 50000 values"),
    ],
)
def test_what_readers_disagree_about_is_a_finding_with_its_line(text: str, finding: str) -> None:
    """Each refused thing of YAML is told at its line and path, with what to do about it."""
    _, found = read(text)

    assert any(finding in one for one in found), found


def test_all_findings_come_in_one_run() -> None:
    """Tabs, anchors, tags, ambiguous words and duplicate keys of one file are told together."""
    _, found = read("a:\tb\nc: &x no\nd: !!str 1\nd: 2\ne:\n\tf: 012\n")

    assert [one.split(": ")[0] for one in found] == [f"f.yaml:{line}" for line in (1, 6, 2, 2, 3, 4, 6)]


def test_the_first_of_duplicate_keys_stays() -> None:
    """The second place is the mistake, and only it is told."""
    value, found = read("a: 1\na: 2\n")

    assert value == {"a": 1}
    assert len(found) == 1


def test_values_know_their_lines_and_paths() -> None:
    """A path is followed to the line of the key, and of a member of a list to its own."""
    notes = Notes("f.yaml", lines=5)
    node = read_yaml("a:\n  - b: 1\n    c:\n      d: 2\n  - 3\n", notes, variables=Variables({}))

    assert isinstance(node, Map)
    assert [
        (place(node, "", loc).line, place(node, "", loc).path) for loc in (("a",), ("a", 0, "c", "d"), ("a", 1))
    ] == [
        (1, "a"),
        (4, "a[0].c.d"),
        (5, "a[1]"),
    ]


def test_steps_that_lead_nowhere_are_left_out_of_a_place() -> None:
    """Names that validators put between do not stand in the file, and the place is the nearest that does."""
    found = place(Map(1, {}), "monitors[0]", ("from", "str"))

    assert (found.path, found.depth) == ("monitors[0]", 0)


def test_a_file_with_more_mistakes_than_anyone_reads_ends_early() -> None:
    """The search ends after 500 findings, and the last one says so."""
    notes = Notes("f.yaml", lines=2_000)

    with pytest.raises(TooManyFindings):
        read_yaml("a: 1\n" * 2_000, notes, variables=Variables({}))

    assert len(notes.findings) == 501
    assert "more than 500 findings" in str(notes.findings[-1])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${SITE}", "berlin"),
        ("${PORT}", 9092),
        ("'${PORT}'", 9092),
        ("${ZEROS}", "012"),
        ("${UNSET:-0.05}", 0.05),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY}", None),
        ("host:${PORT}", "host:9092"),
        ("${PORT}${PORT}", "90929092"),
        ("$${PORT}", "${PORT}"),
        ("cost$", "cost$"),
    ],
)
def test_variables_are_filled(written: str, value: object) -> None:
    """One variable alone is read as its value would be; with anything beside it the result is text."""
    found, findings = read(f"a: {written}\n")

    assert found == {"a": value}
    assert findings == []


def test_a_loose_scalar_keeps_its_text() -> None:
    """The text of a variable is there for places that want text."""
    node = read_yaml("a: ${PORT}\n", Notes("f"), variables=Variables(ENVIRON))

    assert isinstance(node, Map)
    scalar = node.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.value, scalar.source, scalar.loose) == (9092, "9092", True)


def test_what_variables_put_into_a_file_is_bounded() -> None:
    """A large variable cannot make a small file large without end."""
    variables = Variables({"LARGE": "x" * (MOST_TEXT // 2)})
    variables.fill("${LARGE}")

    variables.fill("${LARGE}")
    with pytest.raises(VariableError, match="more than"):
        variables.fill("${LARGE}")


def test_json_gives_the_same_nodes_with_lines() -> None:
    """Objects, lists, texts, numbers and words of JSON are read, tabs between them too."""
    text = '{\n\t"a": [1, 2.5, 1e3, true, null],\r\n\t"b": {"c": "${SITE}\\n\\ud83d\\ude00"}\n}'
    value, found = read_as_json(text)
    node = read_json(text, Notes("f.json"), variables=Variables(ENVIRON))

    assert value == {"a": [1, 2.5, 1000.0, True, None], "b": {"c": "berlin\n\U0001f600"}}
    assert found == []
    assert isinstance(node, Map)
    assert place(node, "", ("b", "c")).line == 3


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('{"a": 1,\n"a": 2}', "f.json:2: a: a duplicate key; it stands at line 1 already"),
        ('{"a": 1e400}', "f.json:1: a: 1e400 is too large a number"),
        ('{"a": [NaN]}', "f.json:1: a[0]: NaN is no number of JSON"),
        ('{"a": "${UNSET}"}', "f.json:1: a: the environment has no variable UNSET"),
        ('{"a": "\\ud800"}', "f.json:1: a: half of a surrogate pair"),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "f.json:1: file: nested more than 32 levels deep"),
        ('{"a": [' + "1," * 50_001 + "1]}", "f.json:1: file: more than 50000 values"),
        ('{"a": ' + "9" * 5_000 + "}", "is too large a number"),
    ],
)
def test_mistakes_in_json_are_findings_with_their_lines(text: str, finding: str) -> None:
    """What is refused in YAML is refused in JSON."""
    _, found = read_as_json(text)

    assert any(finding in one for one in found), found


def test_a_text_is_json_only_if_it_is() -> None:
    """A map of YAML in braces is read as YAML; syntax mistakes of JSON have their line."""
    notes = Notes("f.json", lines=3)

    assert is_json(' {"a": 1}')
    assert is_json('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert not is_json("{a: 1}")
    assert not is_json("[1]")
    assert syntax_mistake('{"a":\n 1,\n}', notes)
    assert not syntax_mistake('{"a": 1}', notes)
    assert [finding.line for finding in notes.findings] == [2] or [finding.line for finding in notes.findings] == [3]


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(alphabet=st.characters(max_codepoint=0xD7FF, exclude_characters="$"), max_size=20)
VALUES = st.recursive(SCALARS | TEXTS, lambda some: st.lists(some) | st.dictionaries(TEXTS, some), max_leaves=20)


@given(st.dictionaries(TEXTS.filter(bool), VALUES, min_size=1))
def test_json_reads_the_same_as_json_and_as_yaml(value: dict[str, object]) -> None:
    """A value written as JSON comes back as it was, from the reader of JSON and from that of YAML."""
    text = json.dumps(value, indent=1)

    assert read_as_json(text) == (value, [])
    assert read(text) == (value, [])


@given(st.text() | st.text(alphabet=" \t\n-:[]{},#&*!|>'\"%@`?abc01~<$\\", max_size=60))
def test_any_text_gives_nodes_or_findings(text: str) -> None:
    """No text makes the reader fail, and every finding has a line of the text."""
    lines = text.count("\n") + 1
    notes = Notes("f.yaml", lines=lines)

    node = read_yaml(text, notes, variables=Variables(ENVIRON))

    assert node is None or isinstance(node, (Map, Items, Scalar))
    assert all(1 <= finding.line <= lines and "\n" not in str(finding) for finding in notes.findings)
