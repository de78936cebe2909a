from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue import AlertSpec, MetricSpec
from grafana.drawing import TYPES
from grafana.panels import metrics_of
from grafana.rendering import COLUMNS, SOURCE
from grafana.units import UNITS, unit_id
from manometer.generated import outdated_boards
from tests.grafana.shown import all_boards, declared, drawn, rendered
from tests.house.source import ROOT, listed

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])


def test_everything_that_may_be_emitted_is_on_a_board() -> None:
    """Each metric of the catalogue is asked for by a panel; alerts are, all of them, by name in the lists."""
    shown = {name for board in all_boards() for panel in board.panels for ask in panel.asks for name in metrics_of(ask)}
    lost = [item.spec.name for item in declared() if isinstance(item.spec, MetricSpec) and item.spec.name not in shown]

    assert not lost, listed(lost)
    assert any(isinstance(item.spec, AlertSpec) for item in declared())
    assert any(
        'FROM "alerts"' in target["query"]
        for panel in drawn(rendered()["manometer-alerts"])
        for target in panel["targets"]
    )


def test_nothing_is_on_a_board_that_is_not_declared() -> None:
    """A panel asks for no metric that the catalogue lacks, so that a renamed one is noticed."""
    names = {item.spec.name for item in declared()}
    shown = {name for board in all_boards() for panel in board.panels for ask in panel.asks for name in metrics_of(ask)}

    assert shown <= names, listed(sorted(shown - names))


def test_the_files_are_as_the_code_makes_them() -> None:
    """What is committed in grafana/dashboards is what `make docs` writes: nobody edits it by hand."""
    assert not outdated_boards(ROOT / "grafana" / "dashboards"), "run make docs"


def test_a_board_that_is_gone_is_taken_away(tmp_path: Path) -> None:
    """A file of a board that no code makes is not current, so that writing takes it away."""
    old = tmp_path / "manometer-old.json"
    old.write_text("{}", encoding="utf-8")

    assert outdated_boards(tmp_path)[old] == ""


def test_boards_have_uids_and_titles_of_their_own() -> None:
    """Links find a board by its uid, people by its title."""
    found = rendered().values()

    assert len({board["title"] for board in found}) == len({board["uid"] for board in found}) == len(all_boards())
    assert all(re.fullmatch(r"[a-z-]{3,40}", uid) for uid in rendered())


@each_board
def test_panels_lie_side_by_side(uid: str) -> None:
    """No panel is outside the 24 columns, and no two lie on each other."""
    taken: dict[tuple[int, int], str] = {}
    for panel in rendered()[uid]["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= COLUMNS, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


@each_board
def test_ids_are_unique(uid: str) -> None:
    """Panels of a board have numbers of their own, and targets of a panel letters."""
    panels = rendered()[uid]["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in drawn(rendered()[uid]):
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert len(set(letters)) == len(letters)


@each_board
def test_panels_have_all_that_a_reader_needs(uid: str) -> None:
    """A panel has a title, a sentence, a known kind, a unit, thresholds with an open first step, and the source."""
    for panel in drawn(rendered()[uid]):
        defaults = panel["fieldConfig"]["defaults"]
        steps = defaults["thresholds"]["steps"]
        bounds = [step["value"] for step in steps[1:]]
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["type"] in TYPES.values()
        assert defaults["unit"]
        assert steps[0]["value"] is None
        assert bounds == sorted(set(bounds))
        assert panel["datasource"] == SOURCE
        assert all(target["datasource"]["uid"] in {SOURCE["uid"], "__expr__"} for target in panel["targets"])


def test_units_and_zones_are_those_of_the_catalogue() -> None:
    """A panel of a single metric has the unit, the sentence and the zones of its declaration."""
    specs = {item.spec.name: item.spec for item in declared()}
    panel = _titled("manometer-overview", "Cpu utilization")
    defaults = panel["fieldConfig"]["defaults"]
    spec = specs["cpu_utilization"]
    assert isinstance(spec, MetricSpec)

    assert (defaults["unit"], panel["description"]) == (unit_id(spec.unit), spec.help)
    assert tuple(step["value"] for step in defaults["thresholds"]["steps"][1:]) == spec.zones


def test_every_unit_of_the_catalogue_is_known() -> None:
    """A metric that comes with Manometer has a unit that Grafana has been told of."""
    found = {item.spec.unit for item in declared() if isinstance(item.spec, MetricSpec)} - set(UNITS)

    assert not found, listed(sorted(found))


def test_codes_are_shown_as_words() -> None:
    """A metric whose number is a code is drawn as states, with its words and a colour for each."""
    panel = _titled("manometer-model", "Engine state")
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]

    assert panel["type"] == "state-timeline"
    assert {code: shown["text"] for code, shown in mapping["options"].items()} == {
        "0": "init",
        "1": "running",
        "2": "error",
        "3": "silent",
    }
    assert all(shown["color"] for shown in mapping["options"].values())


@each_board
def test_what_is_asked_for_can_be_chosen(uid: str) -> None:
    """A variable that a statement names is one of the board's, so that no `${...}` is left in it."""
    board = rendered()[uid]
    there = {variable["name"] for variable in board["templating"]["list"]}
    text = str([panel["targets"] for panel in drawn(board)]) + str(board["annotations"])

    assert set(re.findall(r"\$\{([a-z_]+):", text)) <= there


@each_board
def test_runbooks_and_other_boards_are_one_click_away(uid: str) -> None:
    """Each board links the others and keeps time and choice; a list of alerts links the runbook of each."""
    board = rendered()[uid]
    (link,) = board["links"]

    assert set(link["tags"]) <= set(board["tags"])
    assert (link["includeVars"], link["keepTime"]) == (True, True)
    for panel in drawn(board):
        if panel["type"] == "table":
            assert "${runbooks:raw}/${__value.raw}.md" in str(panel["fieldConfig"]["overrides"])


def _titled(uid: str, title: str) -> dict[str, Any]:
    return next(
        panel
        for panel in drawn(rendered()[uid])
        if panel["title"] == title and len(panel["targets"]) == 1 and panel["type"] != "bargauge"
    )
