from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from engine.workflow import load
from grafana.panels import Panel
from grafana.queries import Query, Ratio
from manometer import __version__
from manometer.board.answering import Asker, Number
from manometer.board.asking import Frame
from manometer.board.sqlite_reader import SqliteReader
from tests.house.source import ROOT, listed
from tests.manometer.board.serving import OVERVIEW, Case, alert, metric, milliseconds, tags

QUERY = f"/api/query?board={OVERVIEW}&panel=0&from=1795780000000&to=1795780600000"
CPU = "Cpu utilization"


def test_every_panel_of_every_board_is_answered(board: Case) -> None:
    """With the shape of its kind; numbers that count have an answer where there is nothing too."""
    shapes = {"stat": "values", "gauge": "values", "bars": "values", "pie": "values", "alerts": "table"}
    now = milliseconds()
    found = []
    for one in board.ask("/api/boards").body["boards"]:
        for panel in (panel for section in one["sections"] for panel in section["panels"]):
            span = f"from={now - 43_200_000}&to={now}&width=1000"
            reply = board.ask(f"/api/query?board={one['uid']}&panel={panel['id']}&{span}")
            if (reply.status, reply.body.get("shape")) != (200, shapes.get(panel["kind"], "lines")):
                found.append(f"{one['uid']}: {panel['title']}: {reply}")

    assert not found, listed(found)


def test_the_boards_are_described(board: Case) -> None:
    """With all that is drawn, and nothing of what is asked."""
    body = board.ask("/api/boards").body

    assert body["version"] == __version__
    uids = ["manometer-overview", "manometer-model", "manometer-alerts", "manometer-itself"]
    assert [one["uid"] for one in body["boards"]] == uids
    state = next(p for s in body["boards"][0]["sections"] for p in s["panels"] if p["title"] == "Engine state")
    assert (state["kind"], state["values"][3]) == ("states", [3, "silent"])
    panels = [panel for one in body["boards"] for section in one["sections"] for panel in section["panels"]]
    assert {panel["zero"] for panel in panels} == {True, False}
    assert body["boards"][0]["variables"][0] == {"name": "workflow", "title": "Workflow"}


def test_lines_have_one_time_axis(board: Case) -> None:
    """Each line has a number or nothing for each time; means have the least and the greatest of their interval."""
    reply = board.query(CPU, seconds=900)

    body = reply.body
    assert [line["tags"] for line in body["lines"]] == [{"engine": engine} for engine in ("e1", "e2", "e3")]
    assert all(len(line[part]) == len(body["times"]) for line in body["lines"] for part in ("values", "low", "high"))
    assert body["times"] == sorted(body["times"])
    assert all(time % (body["interval"] * 1_000) == 0 for time in body["times"])
    assert body["cut"] is False


def test_what_is_chosen_is_what_is_shown(board: Case) -> None:
    """A variable may come several times; one of another board is ignored."""
    model = "manometer-model"
    two = board.query(CPU, "&engine=e1&engine=e3&alert=Other", board=model)
    none = board.query(CPU, "&engine=e.", board=model)

    assert [line["name"] for line in two.body["lines"]] == ["e1", "e3"]
    assert none.body["lines"] == []


def test_numbers_are_the_last(board: Case) -> None:
    """A stat of a metric over time shows its last interval, a count what is there at the end."""
    rate = board.query("Records per second", kind="stat").body
    critical = board.query("Critical alerts").body
    silent = board.query("Engines in error or silent").body

    assert [(one["name"], one["value"]) for one in rate["values"]] == [("Records per second", 15.0)]
    assert [one["value"] for one in critical["values"]] == [1.0]
    assert silent["values"] == []


def test_a_ratio_is_divided(board: Case) -> None:
    """Rejected records over records, where both are known."""
    for ago in range(0, 600, 10):
        board.sink.write(
            [
                metric("records_total", 1_000.0 - ago, ago=ago, slot="0"),
                metric("records_rejected_total", (1_000.0 - ago) / 50, ago=ago, slot="0"),
            ]
        )

    answer = board.query("Rejected records").body

    assert [one["value"] for one in answer["values"]] == pytest.approx([0.02])
    assert answer["cut"] is False


def test_what_cannot_be_divided_is_not_cut_off(board: Case) -> None:
    """Only lines that the reader left out are told as such, not those with nothing to divide by."""
    for engine, number in (("e1", 0.0), ("e2", 2.0)):
        board.sink.write([metric(name, number, ago=1, engine=engine) for name in ("above", "below")])
    above, below = (Query(metric=name, group_by=("engine",), interval=None) for name in ("above", "below"))
    panel = Panel(title="Share", description="", kind="bars", asks=(Ratio(above, below),))

    answer = Asker(SqliteReader(board.path), "b", 0, panel, ()).answer(Frame(0, milliseconds(), 240, milliseconds()))

    assert answer.values == [Number("e2", {"engine": "e2"}, 1.0, answer.end)]
    assert answer.cut is False


def test_texts_stay_texts(board: Case) -> None:
    """Markup in a tag comes as it is, in JSON that no browser takes for a page."""
    evil = "<img src=x onerror=alert(1)>"
    board.sink.write([metric("cpu_utilization", 0.5, engine=evil)])

    reply = board.query(CPU)

    assert evil in [line["name"] for line in reply.body["lines"]]
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_panel_is_a_csv_file(board: Case) -> None:
    """Lines, numbers and tables; times in RFC 3339; texts that begin like a formula are guarded."""
    board.sink.write([metric("cpu_utilization", 0.5, engine="=1+1")])

    panels = ((CPU, "lines"), ("Records per second", "stat"), ("Alerts that fire", "alerts"))
    lines, numbers, table = (board.query(title, "&format=csv", kind=kind) for title, kind in panels)

    assert lines.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert lines.headers["Content-Disposition"] == 'attachment; filename="manometer-overview-9.csv"'
    heading, *cells = csv.reader(io.StringIO(lines.body))
    assert heading == ["time", "'=1+1", "e1", "e2", "e3"]
    assert all(line[0].endswith("Z") for line in cells)
    assert next(csv.reader(io.StringIO(numbers.body))) == ["time", "value"]
    assert list(csv.reader(io.StringIO(table.body)))[1][1:3] == ["critical", "EngineError"]


def test_the_values_of_a_variable(board: Case) -> None:
    """In order, and only those that go with what is chosen; Manometer's own workflow is none."""
    address = "/api/series?board=manometer-model&variable="

    assert board.ask(f"{address}engine").body == {"variable": "engine", "values": ["e1", "e2", "e3"]}
    assert board.ask(f"{address}engine&workflow=other").body["values"] == []
    assert board.ask(f"{address}workflow").body["values"] == ["demo"]
    assert board.ask(f"{address}colour").status == 404


def test_health(board: Case) -> None:
    """The store, the newest point, the clock; why a store cannot be read, which is no failure of the page."""
    well = board.ask("/api/health").body
    board.path.rename(board.path.with_suffix(".away"))
    ill = board.ask("/api/health").body

    assert well["ok"]
    assert well["reason"] is None
    assert 0 <= well["now"] - well["newest"] < 60_000
    assert (ill["ok"], "archive.db" in ill["reason"]) == (False, True)
    assert board.ask("/api/alerts?from=0&to=1795780600000").status == 400
    assert board.ask(QUERY).status == 503
    board.path.with_suffix(".away").rename(board.path)


def test_the_page_and_its_files(board: Case) -> None:
    """Packed where the browser can unpack, with a tag by which it need not be sent again."""
    page = board.ask("/")
    same = board.ask("/", headers={"If-None-Match": page.headers["ETag"]})
    plain = board.ask("/", headers={"Accept-Encoding": "identity"})

    assert "<title>" in page.body
    assert page.headers["Content-Encoding"] == "gzip"
    assert (same.status, same.body) == (304, "")
    assert "Content-Encoding" not in plain.headers
    assert plain.body == page.body
    assert board.ask("/static/vendor/uPlot.iife.min.js").headers["Content-Type"].startswith("text/javascript")


def test_runbooks_are_pages(board: Case) -> None:
    """With links to other runbooks and none to what is not served; an unknown name is a page with those there are."""
    page = board.ask("/runbooks/engine-error")
    nothing = board.ask("/runbooks/no-such")

    assert "<h1>EngineError</h1>" in page.body
    assert 'href="/runbooks/engine-silent"' in page.body
    assert ".md" not in page.body
    assert nothing.status == 404
    assert 'href="/runbooks/engine-error"' in nothing.body
    assert board.ask("/runbooks/%3Cscript%3E").body.count("<script>") == 0


def test_alerts_come_with_all_that_is_known(board: Case) -> None:
    """What fires now; and each change, with when its alert began and ended, of its own series only."""
    end = milliseconds() * 1_000
    board.sink.write(
        [
            alert("InputDrifted", at=end - 50_000_000, field="a"),
            alert("InputDrifted", at=end - 40_000_000, field="b"),
            alert("InputDrifted", at=end - 30_000_000, firing=False, field="a"),
        ]
    )
    span = f"from={milliseconds() - 3_600_000}&to={milliseconds() + 1_000}"

    firing = board.ask(f"/api/alerts?{span}&state=firing").body["alerts"]
    changes = board.ask(f"/api/alerts?{span}&alert=InputDrifted").body["alerts"]

    assert [(one["name"], one["tags"].get("field")) for one in firing] == [("InputDrifted", "b"), ("EngineError", None)]
    assert [one["ended"] for one in firing] == [None, None]
    assert [(one["state"], one["tags"]["field"]) for one in changes] == [
        ("resolved", "a"),
        ("firing", "b"),
        ("firing", "a"),
    ]
    resolved, _, began = changes
    assert (resolved["began"], resolved["ended"]) == (began["began"], began["ended"])
    assert began["began"] == began["time"] == resolved["ended"] - 20_000
    assert firing[1]["evidence"] == {"since": 1.5}
    assert (firing[1]["severity"], firing[1]["runbook"], firing[1]["value"]) == ("critical", "engine-error", 2.0)
    assert len(board.ask(f"/api/alerts?{span}&limit=1").body["alerts"]) == 1


def test_an_end_after_the_time_asked_for_is_known(board: Case) -> None:
    """The span of an alert is whole, wherever one looks."""
    end = milliseconds() * 1_000
    board.sink.write([alert("A", at=end - 500_000_000), alert("A", at=end - 100_000_000, firing=False)])

    (one,) = board.ask(f"/api/alerts?from={end // 1_000 - 400_000}&to={end // 1_000 - 300_000}&state=firing").body[
        "alerts"
    ]

    assert (one["began"], one["ended"]) == (end // 1_000 - 500_000, end // 1_000 - 100_000)


def test_monitors_of_a_workflow_are_on_the_boards(tmp_path: Path) -> None:
    """A metric that only a plugin emits has its panel on the board Model."""
    plan = load(ROOT / "workflows" / "demo.yaml")
    case = Case(tmp_path, plan=plan, file=ROOT / "workflows" / "demo.yaml")
    case.sink.write([alert()])

    (one,) = case.ask(f"/api/alerts?from={milliseconds() - 60_000}&to={milliseconds() + 1_000}").body["alerts"]

    assert "demo.yaml --input notify=RECORDINGS/notify.jsonl" in one["replay"]
    case.close()
    assert tags()["workflow"] == plan.workflow
