"""`manometer record`: what lies on the input topics of a workflow, as recordings."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from engine.kafka.clients import Kafka
from engine.kafka.reading import read
from engine.kafka.topics import inputs
from engine.plan import Plan
from engine.recording.writer import RecordingWriter
from manometer.cli.failure import told
from manometer.cli.kafka_asking import asked
from manometer.cli.kafka_options import connection, kafka_options
from manometer.cli.workflow_file import read_plan
from manometer.on_kafka import NoTopic

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@click.command("record")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--out", metavar="DIR", required=True, help="The folder that gets STREAM.jsonl of each stream.")
@click.option("--until-end", is_flag=True, help="End where the topics end now; else Ctrl-C ends it.")
@kafka_options
def command(workflow: str, kafka: str, out: str, until_end: bool, **options: Any) -> None:
    """Record the input topics of a workflow on Kafka.

    Every message is recorded, from the beginning of the logs. The files get their names when all is written: with
    --until-end where the topics end, else after Ctrl-C. Whatever was a file of the same name is replaced. A replay of
    the recordings gives what the workers gave.

    \b
    Examples:
      $ manometer record workflows/demo.yaml --kafka 127.0.0.1:9092 \\
          --out recordings --until-end
      $ manometer replay workflows/demo.yaml \\
          --input notify=recordings/notify.jsonl

    The last line on standard error counts the messages of each stream.

    Exit codes: 0 recorded; 2 the broker cannot be reached, a topic is not there, or a file cannot be written.

    Read next: docs/kafka-topics.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    where = connection(kafka, options)
    with told(), ExitStack() as files:
        recordings = _Files(Path(out), files)
        counts = asked(where, lambda there: _recorded(plan, there, recordings, until_end=until_end))
    click.echo(msgspec.json.encode(counts), err=True)


class _Files:
    """The recordings of a workflow, one a stream; none is begun before there is something to read."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Prepare; the stack gives the files their names."""
        self._folder = folder
        self._stack = stack

    def begin(self, plan: Plan) -> dict[str, RecordingWriter]:
        """Begin the recording of each stream."""
        self._folder.mkdir(parents=True, exist_ok=True)
        paths = {name: self._folder / f"{name}.jsonl" for name in plan.streams}
        return {name: self._stack.enter_context(RecordingWriter(path)) for name, path in paths.items()}


async def _recorded(plan: Plan, kafka: Kafka, files: _Files, *, until_end: bool) -> dict[str, int]:
    topics = inputs(plan)
    lacking = sorted(topics.keys() - (await kafka.topics(topics)).keys())
    if lacking:
        raise NoTopic(f"topic {lacking[0]}: there is none")
    writers = files.begin(plan)
    counts = dict.fromkeys(plan.streams, 0)
    async for messages in read(kafka, topics, stop=None if until_end else _asked_to_stop()):
        for stream in topics[messages[0].topic]:
            counts[stream] += len(messages)
            for message in messages:
                writers[stream].write(message)
    return counts


def _asked_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
