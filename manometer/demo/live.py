"""The live demo: engines that consume, Manometer that watches them, and a story that goes its way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.embedded.topics import nobody
from engine.plan import Plan
from manometer.asked_signals import collected
from manometer.demo import story
from manometer.demo.crew import Crew
from manometer.demo.engine import Orders
from manometer.demo.half_year import HalfYear, Replayed
from manometer.demo.recorder import Recorder
from manometer.demo.system import System, running
from manometer.view.picture import Picture
from manometer.view.watching import Eye

SPEED: Final = 800.0
"""The recorded day takes 108 seconds."""
LOOK_EVERY: Final = 0.25
HALF_YEAR_AFTER: Final = 3.0
"""Seconds after the first numbers at which half a year of forecasts begins to be replayed beside the story."""
INPUTS: Final = "inputs"
PREDICTIONS: Final = "predictions"

Actors = tuple[System, Crew, HalfYear]
"""Who acts: Manometer, the engines, and the replay beside them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo is to run."""

    workflow: Path
    """Its file."""
    data: Path
    """The folder that keeps everything."""
    record: Path | None
    """The folder that gets the recordings."""
    speed: float
    """How many seconds of the recorded day pass in one."""
    seed: int
    seconds: float | None
    """When it ends by itself; None: when the story is told, and with `forever` not at all."""
    forever: bool
    """Whether it goes on after the story, until it is ended."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to show."""

    picture: Picture
    passed: float
    """Seconds since the engines began."""
    day: float
    """Seconds of the recorded day that have passed; more than a day where it began again."""
    events: Sequence[story.Event]
    """What happened since the last moment."""
    pids: Mapping[str, int]
    address: str
    half_year: Replayed | None
    """What the replay of half a year of forecasts said; None until it is done."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo did."""

    seconds: float
    messages: int
    emissions: int
    rejects: int
    recordings: Mapping[str, Path]
    """Stream -> its recording; empty where none was asked for."""
    half_year: Replayed | None
    """What the replay of half a year of forecasts said; None where the demo ended before."""


def live(
    settings: Settings, read: Callable[[], Plan], show: Callable[[Moment], None], begun: Callable[[str], None]
) -> Counts:
    """Run the demo until the story is told, the time is over, or a signal ends it.

    Args:
        settings: how it is to run.
        read: gives the workflow; called when the engines have been started, so that both get ready at one time.
        show: called a few times a second.
        begun: called once, with the address of the board, before anything is shown.

    Raises:
        CommandError: the archive cannot be opened.
        StoreFailed: the folder cannot be written.
        OSError: a recording cannot be written, or nothing can be started.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    last: Moment | None = None
    log = settings.data / "engines.log"
    with collected() as asked, Crew(log) as crew, HalfYear(settings.data) as half_year:
        plan = read()
        with _recorder(settings, plan) as recorder, _running(settings, plan, recorder) as system:
            begun(system.address)
            for moment in _moments(plan, settings, (system, crew, half_year), asked):
                last = moment
                show(moment)
    return _counted(last, recorder)


def _running(settings: Settings, plan: Plan, recorder: Recorder | None) -> AbstractContextManager[System]:
    recordings = None if recorder is None else recorder.files
    return running(plan, settings.data, recorder or nobody, workflow=settings.workflow, recordings=recordings)


@contextmanager
def _recorder(settings: Settings, plan: Plan) -> Iterator[Recorder | None]:
    recorder = None if settings.record is None else Recorder(settings.record, plan)
    try:
        yield recorder
    finally:
        if recorder is not None:
            recorder.close()


def _counted(last: Moment | None, recorder: Recorder | None) -> Counts:
    picture = None if last is None else last.picture
    return Counts(
        seconds=0.0 if last is None else last.passed,
        messages=0 if picture is None else sum(stream.messages for stream in picture.streams),
        emissions=0 if picture is None else picture.emissions,
        rejects=0 if picture is None else picture.rejects,
        recordings={} if recorder is None else recorder.files,
        half_year=None if last is None else last.half_year,
    )


def _moments(plan: Plan, settings: Settings, actors: Actors, asked: Sequence[int]) -> Iterator[Moment]:
    """Let the engines begin, and give what there is to show; the last one comes when they have said farewell."""
    system, crew, _ = actors
    crew.ready()
    begin = time.time()
    crew.begin(msgspec.json.encode(_orders(plan, settings, system.address, begin)))
    director = _Director(actors, settings.speed, begin)
    while not (over := bool(asked) or system.embedded.ended.done()):
        moment = director.moment()
        yield moment
        if moment.passed >= _lasts(settings):
            break
        time.sleep(LOOK_EVERY)
    crew.end()
    moment = director.moment()
    while settings.seconds is None and moment.half_year is None and not (asked or over):
        yield moment
        time.sleep(LOOK_EVERY)
        moment = director.moment()
    yield moment


def _lasts(settings: Settings) -> float:
    if settings.seconds is not None:
        return settings.seconds
    return float("inf") if settings.forever else story.DAY / settings.speed


class _Director:
    """Looks at everything once in a while, and lets happen what is due by then."""

    def __init__(self, actors: Actors, speed: float, begin: float) -> None:
        self._system, self._crew, self._half_year = actors
        self._eye = Eye(self._system.embedded)
        self._speed = speed
        self._begin = begin
        self._day = 0.0
        self._first: float | None = None

    def moment(self) -> Moment:
        passed = time.time() - self._begin
        before, self._day = self._day, max(self._day, passed * self._speed)
        events = story.between(before, self._day)
        for event in events:
            if event.turn == "is killed":
                self._crew.kill(event.engine)
        picture = self._eye.look()
        self._begin_half_year(picture, passed)
        return Moment(
            picture=picture,
            passed=passed,
            day=self._day,
            events=events,
            pids=self._crew.pids,
            address=self._system.address,
            half_year=self._half_year.look(),
        )

    def _begin_half_year(self, picture: Picture, passed: float) -> None:
        """Begin the replay where the first numbers have been seen for a while, at the latest when the story is told."""
        if self._first is None and any(engine.rate is not None for engine in picture.engines):
            self._first = passed
        seen = self._first is not None and passed >= self._first + HALF_YEAR_AFTER
        if not self._half_year.begun and (seen or self._day >= story.DAY):
            self._half_year.begin()


def _orders(plan: Plan, settings: Settings, address: str, begin: float) -> Orders:
    return Orders(
        address=address,
        inputs=plan.streams[INPUTS].topic,
        predictions=plan.streams[PREDICTIONS].topic,
        begin=begin,
        speed=settings.speed,
        seed=settings.seed,
    )
