from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import pytest

from manometer.board import live
from tests.manometer.board.serving import Case, Event, metric

_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run it, and not for ever."""
    return asyncio.run(asyncio.wait_for(work, 30))


async def until(events: AsyncIterator[Event], name: str) -> Event:
    """Take events until one of a name comes."""
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError(f"no {name} came")


async def last_of_first(events: AsyncIterator[Event]) -> None:
    """Take the hello and the first tick, which brings all that is known."""
    assert (await anext(events)).name == "hello"
    await until(events, "tick")


def test_a_new_point_is_in_the_browser_within_a_second(board: Case) -> None:
    """From the commit of the sink to the tick that has it; the tick holds the ends of lines, and only what changed."""
    number = board.panel("Memory bytes")

    async def watch() -> tuple[float, Event]:
        async with board.watch() as events:
            await last_of_first(events)
            await asyncio.sleep(1.2)
            await asyncio.to_thread(board.sink.write, [metric("memory_bytes", 77.0)])
            written = time.monotonic()
            return written, await until(events, "tick")

    written, tick = run(watch())

    assert tick.came - written < 1.0
    assert list(tick.data["panels"]) == [str(number)]
    answer = tick.data["panels"][str(number)]
    assert answer["lines"][0]["values"][-1] == 77.0
    assert answer["from"] >= tick.data["now"] - 200_000
    assert tick.data["newest"] <= tick.data["now"]


def test_the_first_event_tells_who_serves(board: Case) -> None:
    """`hello` has the time, the newest point and what this process is called; another process is called otherwise."""

    async def hello() -> Event:
        async with board.watch() as events:
            return await anext(events)

    first, again = run(hello()), run(hello())
    board.stop()
    board.start()
    other = run(hello())

    assert first.name == "hello"
    assert first.data["epoch"] == again.data["epoch"] != other.data["epoch"]
    assert abs(first.data["now"] - time.time() * 1_000) < 5_000


def test_viewers_of_the_same_share_one_computation(board: Case) -> None:
    """Ten viewers cost as many computations as one, and get the same text; another choice is computed apart."""

    async def watch() -> tuple[list[Event], int]:
        async with asyncio.TaskGroup() as group:
            ready = [asyncio.Event() for _ in range(10)]
            tasks = [group.create_task(viewer(done)) for done in ready]
            await asyncio.gather(*(done.wait() for done in ready))
            await asyncio.sleep(1.0)
            before = board.paths.live.computations
            await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", 0.99)])
        return [task.result() for task in tasks], board.paths.live.computations - before

    async def viewer(done: asyncio.Event) -> Event:
        async with board.watch() as events:
            await last_of_first(events)
            done.set()
            return await until(events, "tick")

    ticks, computations = run(watch())

    assert len({str(tick.data) for tick in ticks}) == 1
    assert computations <= 2


def test_nothing_is_sent_where_nothing_changed(board: Case) -> None:
    """Between two writes there are only signs of life; a point of another engine than the chosen one is no news."""

    async def watch() -> list[str]:
        found: list[str] = []
        async with board.watch("&workflow=other") as events:
            await last_of_first(events)
            await asyncio.sleep(1.0)
            await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", 0.5)])
            async for event in events:
                found.append(event.name)
                if event.name == "ping":
                    return found
        return found

    assert run(watch()) == ["ping"]


def test_ticks_come_at_most_twice_a_second(board: Case) -> None:
    """However often the sink writes."""

    async def watch() -> int:
        async with board.watch() as events:
            await last_of_first(events)
            writing = asyncio.create_task(write())
            begun, count = time.monotonic(), 0
            async for event in events:
                if time.monotonic() - begun > 3.0:
                    break
                count += event.name == "tick"
            await writing
            return count

    async def write() -> None:
        for number in range(60):
            await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", number / 100)])
            await asyncio.sleep(0.05)

    assert 1 <= run(watch()) <= 7


def test_a_viewer_comes_back_after_the_server_did(board: Case) -> None:
    """The stream ends when the server does, within its patience; on the same port it goes on, with what came since."""

    async def end() -> None:
        async with board.watch() as events:
            await last_of_first(events)
            stopping = asyncio.create_task(asyncio.to_thread(board.stop))
            async for _ in events:
                pass
            await stopping

    async def again() -> Event:
        async with board.watch() as events:
            return await until(events, "tick")

    begun = time.monotonic()
    run(end())
    assert time.monotonic() - begun < 5.0
    board.sink.write([metric("memory_bytes", 5.0)])
    board.start()
    number = str(board.panel("Memory bytes"))

    assert run(again()).data["panels"][number]["lines"][0]["values"][-1] == 5.0


def test_viewers_and_views_are_bounded(board: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is told so in a sentence, 503; when one goes there is room again."""
    monkeypatch.setattr(live, "VIEWERS", 2)
    monkeypatch.setattr(live, "VIEWS", 1)
    path = "/api/live?board=manometer-overview&seconds=600&width=1000"

    async def watch() -> tuple[int, int]:
        async with board.watch() as events:
            await anext(events)
            other = await asyncio.to_thread(board.ask, f"{path}&workflow=other")
            async with board.watch() as second:
                await anext(second)
                third = await asyncio.to_thread(board.ask, path)
                assert (third.body["error"], other.body["error"]) == ("viewers", "views")
                return other.status, third.status

    assert run(watch()) == (503, 503)


def test_a_viewer_that_reads_nothing_holds_up_nobody(board: Case) -> None:
    """Others get their ticks; nothing waits in memory for it beyond what its connection takes."""

    async def watch() -> int:
        async with board.watch(), board.watch() as events:
            await last_of_first(events)
            count = 0
            for number in range(3):
                await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", number / 7)])
                await until(events, "tick")
                count += 1
            return count

    assert run(watch()) == 3


def test_a_store_that_goes_is_told(board: Case) -> None:
    """`trouble` says what is wrong; once the store is back ticks come again."""

    async def watch() -> tuple[str, Event]:
        async with board.watch() as events:
            await last_of_first(events)
            away = board.path.rename(board.path.with_suffix(".away"))
            trouble = await until(events, "trouble")
            away.rename(board.path)
            return trouble.data["detail"], await until(events, "tick")

    detail, tick = run(watch())

    assert "archive.db" in detail
    assert tick.data["now"]


def test_a_point_that_comes_late_is_sent_too(board: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in a while everything is computed; a tick then reaches back to the time of the point."""
    monkeypatch.setattr(live, "COMPLETE", 1.5)
    number = str(board.panel("Memory bytes"))
    board.sink.write([metric("memory_bytes", 1.0, ago=ago) for ago in (500, 10)])

    async def watch() -> Event:
        async with board.watch() as events:
            await last_of_first(events)
            for value in (1.0, 2.0):  # the first complete look learns what there is
                await asyncio.sleep(1.6)
                await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", value)])
            await asyncio.to_thread(board.sink.write, [metric("memory_bytes", 9.0, ago=400)])
            await asyncio.sleep(1.6)
            await asyncio.to_thread(board.sink.write, [metric("cpu_utilization", 3.0)])
            async for event in events:
                if event.name == "tick" and number in event.data["panels"]:
                    return event
        raise AssertionError

    answer = run(watch()).data["panels"][number]

    assert 9.0 in answer["lines"][0]["values"]
    assert answer["from"] < answer["to"] - 380_000
