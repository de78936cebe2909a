from __future__ import annotations

import asyncio

import pytest

from manometer.board.reading import TooMuch
from tests.manometer.board.serving import OVERVIEW, Case

QUERY = f"/api/query?board={OVERVIEW}&panel=0&from=1795780000000&to=1795780600000"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/query?board=manometer-overview&panel=0", 400, "expected from="),
        ("/api/query?board=manometer-overvie&panel=0", 404, 'Did you mean "manometer-overview"?'),
        ("/api/query?panel=0", 400, "expected board=... once, got it 0 times"),
        (QUERY.replace("panel=0", "panel=900"), 404, "has panels 0 to"),
        (QUERY.replace("panel=0", "panel=-1"), 400, 'expected a whole number from 0, got "-1"'),
        (QUERY.replace("panel=0", "panel=٣"), 400, "expected a whole number"),
        (f"{QUERY}&width=4001", 400, "from 1 to 4000"),
        (f"{QUERY}&colour=red", 400, 'unknown parameter "colour"'),
        (f"{QUERY}&from=0", 400, "expected from=... once, got it 2 times"),
        (f"/api/query?board={OVERVIEW}&panel=0&from=5&to=5", 400, "expected from before to"),
        (f"/api/query?board={OVERVIEW}&panel=0&from=0&to={401 * 86_400_000}", 400, "at most 400 days"),
        (f"{QUERY}&format=xml", 400, "format=json or format=csv"),
        (f"{QUERY}&workflow=", 400, "1 to 200 characters, got 0"),
        (QUERY + "".join(f"&workflow=w{number}" for number in range(101)), 400, "at most 100 values, got 101"),
        (f"/api/live?board={OVERVIEW}&seconds=0", 400, "seconds: expected a whole number"),
        (f"/api/alerts?from=0&to={86_400_000}&state=loud", 400, "state=firing or state=all"),
        (f"/api/alerts?from=0&to={86_400_000}&limit=501", 400, "from 1 to 500"),
        ("/api/nothing", 404, "/api/boards"),
        ("/static/../server.py", 404, "expected one of"),
        ("/static/server.py", 404, "there is no file"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(board: Case, path: str, status: int, words: str) -> None:
    """What came, what was expected, what to do."""
    reply = board.ask(path)

    assert reply.status == status
    assert set(reply.body) == {"error", "detail"}
    assert words in reply.body["detail"]


def test_a_long_address_is_refused(board: Case) -> None:
    """Before anything of it is read."""
    assert board.ask(QUERY + "&workflow=" + "w" * 9_000).status in {400, 414}


def test_an_answer_over_a_limit_says_so(board: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """413, with what to do."""

    def slow(*_: object, **__: object) -> object:
        raise TooMuch("the store took longer than 5 s: take a shorter time, or choose fewer series")

    monkeypatch.setattr(board.paths._content.reader, "lines", slow)

    reply = board.ask(QUERY)

    assert (reply.status, reply.body["error"]) == (413, "too-much")
    assert "shorter time" in reply.body["detail"]


def test_only_so_many_wait(board: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is told to ask again."""
    monkeypatch.setattr(board.paths._work, "_bound", 0)

    reply = board.ask(QUERY)

    assert (reply.status, reply.body["error"]) == (429, "busy")


def test_what_waits_long_is_given_up(board: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow requests of one cannot hold up the others for long; live viewers do not wait for them at all."""
    monkeypatch.setattr(board.paths._work, "_patience", 0.0)

    async def watched() -> bool:
        async with board.watch() as events:
            return await anext(events) is not None and (await anext(events)).name == "tick"

    reply = board.ask(QUERY)

    assert (reply.status, reply.body["error"]) == (429, "busy")
    assert asyncio.run(asyncio.wait_for(watched(), 10))


def test_a_stream_is_for_who_reads_it(board: Case) -> None:
    """Who asks for its head only is refused: it would never end."""
    assert board.ask("/api/live?board=manometer-overview&seconds=60", "HEAD").status == 405


def test_many_who_ask_the_same_cost_one_answer(board: Case) -> None:
    """For two seconds an answer is given again, also where the end of the time differs by a moment."""
    asked = board.paths._answers

    board.query("Cpu utilization")
    kept = len(asked._kept)
    for _ in range(5):
        board.query("Cpu utilization")

    assert len(asked._kept) <= kept + 2
