from __future__ import annotations

import pytest

from archiver.line_protocol import LineProtocol, Unwritable
from engine.events import Alert, Emission, Metric, Tags

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "engine": "e1"})


def text(emission: Emission) -> str:
    """Write one emission."""
    return LineProtocol().text(emission)


def test_a_metric_is_a_point_under_its_own_name() -> None:
    """Tags in the order of their names, a float, and nanoseconds."""
    assert text(Metric("cpu_utilization", NOON, 1, TAGS)) == (
        "cpu_utilization,engine=e1,workflow=lstm value=1.0 1782907200000000000"
    )


def test_an_alert_is_a_point_of_the_alerts() -> None:
    """All that is told of it stands in fields, and one that resolved stands a nanosecond later."""
    alert = Alert("EngineSilent", NOON, False, "critical", 0.5, 'say "so" \\', "engine-silent", TAGS, {"a": [1, "x"]})

    assert text(alert) == (
        "alerts,alert=EngineSilent,engine=e1,severity=critical,workflow=lstm "
        'firing=0,state="resolved",summary="say \\"so\\" \\\\",runbook="engine-silent",value=0.5,'
        'evidence="{\\"a\\":[1,\\"x\\"]}",repeat=0 1782907200000000001'
    )


def test_what_an_alert_does_not_have_is_left_out() -> None:
    """No value and no evidence are no fields; one that is repeated says so."""
    alert = Alert("A", 1, True, "info", None, "", "", None, None, repeat=True)

    assert text(alert) == 'alerts,alert=A,severity=info firing=1,state="firing",summary="",runbook="",repeat=1 1000'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", "a\\ b"),
        ("a,b=c", "a\\,b\\=c"),
        ('"q"', '"q"'),
        ("a\\b", "a\\b"),
        ("tab\there", "tab\ufffdhere~"),
        ("ends\\", "ends\\~"),
        ("\\", "\\~"),
    ],
)
def test_signs_of_the_format_are_escaped_in_tags(value: str, written: str) -> None:
    """A comma, space or equals sign does not end a tag, and nor does a backslash take the sign after it."""
    line = text(Metric("m", 0, 0.0, Tags({"t": value})))

    assert line.startswith(f"m,t={written}")
    assert line.endswith(" value=0.0 0000")
    assert len(line) == len(f"m,t={written} value=0.0 0000") + (16 if written.endswith("~") else 0)


def test_two_backslashes_at_the_end_stay_two_series() -> None:
    """What cannot be written as it is differs all the same."""
    assert text(Metric("m", 0, 0.0, Tags({"t": "a\\"}))) != text(Metric("m", 0, 0.0, Tags({"t": "a\\\\"})))


@pytest.mark.parametrize(
    "emission",
    [
        Metric("m", 0, float("nan"), TAGS),
        Metric("m", 0, float("-inf"), TAGS),
        Metric("", 0, 1.0, TAGS),
        Metric("#m", 0, 1.0, TAGS),
        Metric("m\nn", 0, 1.0, TAGS),
        Metric("m", 0, 1.0, Tags({"a\nb": "c"})),
        Metric("m", 0, 1.0, Tags({"a\\": "c"})),
        Alert("A", 0, True, "info", summary="\ud800", tags=TAGS),
        Alert("A", 0, True, "info", tags=TAGS, evidence={"what": object()}),
    ],
)
def test_what_no_line_can_hold_is_refused_with_a_reason(emission: Emission) -> None:
    """Nothing that a person gives can break a line, or slip another one in."""
    with pytest.raises(Unwritable):
        text(emission)
    lines, (refused,) = LineProtocol().lines([emission, Metric("m", 0, 1.0, TAGS)])

    assert len(lines) == 1
    assert refused.emission is emission
    assert refused.reason.startswith("expected ")


def test_a_series_that_is_known_is_written_as_one_that_is_new() -> None:
    """Many at once are the same text as one by one, and every number is read back as it was."""
    values = [0.0, -0.0, 0.1, 1 / 3, 1e15, 1e16, 1.7976931348623157e308, 5e-324, -2.5e-7, float("nan"), float("inf")]
    made = [Metric("m", n, value, TAGS) for n, value in enumerate(values)]
    protocol = LineProtocol()
    for _ in range(2):
        lines, refused = protocol.lines(made)

        assert [line.text for line in lines] == [LineProtocol().text(one) for one in made[:-2]]
        assert [float(line.text.split(" ")[1].removeprefix("value=")) for line in lines] == values[:-2]
        assert [one.emission for one in refused] == made[-2:]


def test_series_are_remembered_and_forgotten() -> None:
    """More series than are remembered are written as well."""
    protocol = LineProtocol()
    made = [Metric("m", n, 1.0, Tags({"n": n})) for n in range(100_050)]
    lines, refused = protocol.lines(made)

    assert not refused
    assert lines[0].text == "m,n=0 value=1.0 0000"
    assert lines[-1].text == "m,n=100049 value=1.0 100049000"
    assert len(protocol._heads) == 50
