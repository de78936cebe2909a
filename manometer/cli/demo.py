"""`manometer demo`: a model in production, live, and what the monitors see of it; or a recorded day, replayed."""

from __future__ import annotations

import click

from engine.times import SECOND, parse_duration
from manometer.cli.failure import CommandError, told
from manometer.demo.live import SPEED


@click.command("demo")
@click.option(
    "--speed",
    type=click.FloatRange(min=100, max=20_000),
    default=SPEED,
    show_default=True,
    help="How many seconds of the recorded day pass in one.",
)
@click.option("--for", "duration", metavar="DURATION", help="End after so long, such as 20s.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives other rejects.")
@click.option("--data", metavar="DIR", help="A folder that keeps everything; a new temporary one if left out.")
@click.option("--record", metavar="DIR", help="Keep every message in this folder, as recordings.")
@click.option("--plain", is_flag=True, help="Print lines, as on a pipe, also on a terminal.")
@click.option("--kafka", metavar="HOST:PORT", help="Let only the engines run, day after day, and send to Kafka.")
@click.option("--replay", is_flag=True, help="Replay a recorded day at full speed instead.")
@click.option("--store", metavar="FILE.db", help="With --replay: an SQLite file to write to, not a temporary one.")
@click.option("--json", "as_object", is_flag=True, help="With --replay: print the report as one JSON object.")
def command(  # noqa: PLR0913, PLR0917 - click passes options one by one
    speed: float,
    duration: str | None,
    seed: int,
    data: str | None,
    record: str | None,
    plain: bool,
    kafka: str | None,
    replay: bool,
    store: str | None,
    as_object: bool,
) -> None:
    """Watch a model in production, live, for two minutes.

    Five engines, each a process of its own, consume recorded arrivals as if they came now, forecast taxi passengers and
    report through real sensors; one fails, one leaves, one is killed, and the data of one drifts. You see what the
    monitors see. On a terminal it goes on until Ctrl-C, so that you can break something yourself; elsewhere it prints
    lines and ends when the story is told. It listens on 127.0.0.1 only, and nothing is sent anywhere else.

    \b
    Examples:
      $ manometer demo
      $ manometer demo --record recordings --data demo.data
      $ manometer demo --for 20s --plain
      $ manometer demo --replay

    With --kafka the engines run alone, until Ctrl-C: `manometer run --kafka` watches them.
    With --replay it replays 24 hours of nine engines and three models at full speed and prints a report.

    Exit codes: 0 done, also where Ctrl-C ended it; 2 a file cannot be written, or a process not started.

    Read next: docs/demo.md, docs/tutorial.md
    """  # noqa: D301 - click reads the character that \b stands for
    if replay:
        from manometer.cli.demo_day import show_day  # noqa: PLC0415 - one of the two is wanted

        with told():
            show_day(store, as_object=as_object)
        return
    if store is not None or as_object:
        raise click.UsageError("--store and --json belong to --replay; the live demo keeps its files in --data DIR")
    if kafka is not None:
        if record is not None or plain:
            raise click.UsageError("--record and --plain belong to the demo that watches; with --kafka a worker does")
        from manometer.cli.demo_kafka import run_engines  # noqa: PLC0415 - as above

        with told():
            run_engines(kafka, speed=speed, seed=seed, seconds=_seconds(duration), data=data)
        return
    from manometer.cli.demo_live import run_live  # noqa: PLC0415 - as above

    with told():
        run_live(speed=speed, seed=seed, seconds=_seconds(duration), folders=(data, record), plain=plain)


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        return parse_duration(duration) / SECOND
    except ValueError as error:
        raise CommandError(f"--for {duration}: {error}") from error
