"""`manometer record`: what lies on the input topics of a workflow, as recordings."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

import click
import msgspec

from engine.events import Message
from engine.kafka.clients import Kafka
from engine.kafka.reading import log_starts, read
from engine.kafka.topics import repartitioned
from engine.plan import Plan
from engine.recording.lines import write_message
from engine.recording.writer import RecordingWriter
from manometer.cli.failure import told
from manometer.cli.kafka_asking import asked
from manometer.cli.kafka_options import connection, kafka_options
from manometer.cli.workflow_file import read_plan
from manometer.on_kafka import NoTopic
from manometer.recorded_ticks import Ticks

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@click.command("record")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--out", metavar="DIR", required=True, help="The folder that gets STREAM.jsonl of each stream.")
@click.option("--until-end", is_flag=True, help="End where the topics end now; else Ctrl-C ends it.")
@kafka_options
def command(workflow: str, kafka: str, out: str, until_end: bool, **options: Any) -> None:
    """Record the input topics of a workflow on Kafka.

    Every message is recorded, from the beginning of the logs, and where workers moved the time of a stream because
    nothing came, as they told it on the archive topic. Of a stream that says repartition there is a second recording,
    STREAM@one.jsonl or STREAM@key.jsonl: what monitors read in its place. The files get their names when all is
    written: with --until-end where the topics end, else after Ctrl-C. Whatever was a file of the same name is replaced.
    A replay of the recordings gives what the workers gave.

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
    """The recordings of a workflow, one a topic; none is begun before there is something to read.

    Messages are kept beside them until all ticks are known that belong among them.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Prepare; the stack closes the files, and gives them their names when all went well."""
        self._folder = folder
        self._stack = stack
        self._kept: dict[str, IO[bytes]] = {}
        self._writers: dict[str, RecordingWriter] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Begin recordings of these names."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            self._kept[name] = self._stack.enter_context(TemporaryFile(dir=self._folder))  # noqa: SIM115 - the stack does
            self._writers[name] = self._stack.enter_context(RecordingWriter(self._folder / f"{name}.jsonl"))

    def keep(self, name: str, messages: Sequence[Message]) -> None:
        """Keep messages of a recording."""
        self._kept[name].writelines(map(write_message, messages))

    def finish(self, names: Mapping[str, str], ticks: Ticks, starts: Mapping[tuple[str, int], int]) -> None:
        """Write all recordings: their names, and the topic of each."""
        for name, topic in names.items():
            kept = self._kept[name]
            kept.seek(0)
            begins = {number: start for (of, number), start in starts.items() if of == topic}
            self._writers[name].write_lines(ticks.among(name, kept, begins))


async def _recorded(plan: Plan, kafka: Kafka, files: _Files, *, until_end: bool) -> dict[str, int]:
    names = {stream.name: stream.topic for stream in plan.streams.values()}
    names |= {plan.streams[stream].way: copy for stream, copy in repartitioned(plan).items()}
    topics = {*names.values()}
    lacking = sorted(topics - (await kafka.topics(topics)).keys())
    if lacking:
        raise NoTopic(f"topic {lacking[0]}: there is none")
    files.begin(names)
    counts = dict.fromkeys(names, 0)
    ticks, starts = Ticks(plan, names), await log_starts(kafka, topics)
    live = [] if until_end else [plan.archive]  # what ticks it holds may be gone when the recording ends
    async for messages in read(kafka, [*topics, *live], stop=None if until_end else _asked_to_stop()):
        for name in [name for name, topic in names.items() if topic == messages[0].topic]:
            counts[name] += len(messages)
            files.keep(name, messages)
        ticks.take(messages if messages[0].topic == plan.archive else ())
    async for messages in read(kafka, [plan.archive]):
        ticks.take(messages)
    files.finish(names, ticks, starts)
    return counts


def _asked_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
