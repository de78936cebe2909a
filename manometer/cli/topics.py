"""`manometer topics`: the topics of a workflow on Kafka, checked and made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.kafka.clients import Kafka
from engine.kafka.layout import Right, advice, lacking, rights, settings
from engine.kafka.topics import Topic, expected, inputs, mistakes
from engine.plan import Plan
from engine.times import duration_text
from manometer.cli.columns import columns
from manometer.cli.kafka_asking import asked
from manometer.cli.kafka_options import connection, kafka_options
from manometer.cli.workflow_file import read_plan


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """A topic of a workflow, as it is shown."""

    topic: str
    role: str
    partitions: int | None
    """None where there is no such topic."""
    message_bytes: int | None = None
    retention: str | None = None
    made: bool = False
    """Whether this call has made it."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """All that the command tells."""

    topics: Sequence[Laid]
    findings: Sequence[str]
    acls: Sequence[Right]


@click.command("topics")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--create", is_flag=True, help="Make the topics that are not there.")
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="With --create: of each input whose monitors allow several.",
)
@click.option(
    "--replication",
    type=click.IntRange(1, 100),
    help="With --create: copies of each topic; 3 if left out, or one on each broker where there are fewer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: topics, findings, ACLs.")
@kafka_options
def command(workflow: str, kafka: str, create: bool, partitions: int, as_json: bool, **options: Any) -> None:
    """Check the topics of a workflow on Kafka; make them.

    Checked are equal partitions inside a group, one partition where a monitor must see a whole stream, compaction of
    the states and of nothing else, retention, and that each input message fits the rejects topic. The rights that each
    process needs, where brokers have an authorizer, are printed as arguments of kafka-acls.

    \b
    Examples:
      $ manometer topics workflows/demo.yaml --kafka 127.0.0.1:9092
      $ manometer topics workflows/demo.yaml --kafka 127.0.0.1:9092 \\
          --create --partitions 4

    Nothing is changed without --create, which makes the topics that are missing, and a topic that is there is never
    changed.

    Exit codes: 0 all topics are as they should be; 1 findings; 2 the broker cannot be reached, or refuses.

    Read next: docs/kafka-topics.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    wanted = partitions if create else None
    shown = asked(connection(kafka, options), lambda there: _shown(plan, there, wanted, options["replication"]))
    click.echo(msgspec.json.format(msgspec.json.encode(shown)) if as_json else _text(shown))
    if shown.findings:
        raise click.exceptions.Exit(1)


async def _shown(plan: Plan, kafka: Kafka, partitions: int | None, replicas: int | None) -> Shown:
    names = {*inputs(plan), *(topic.name for topic in expected(plan, {}))}
    found = await kafka.topics(names)
    made: list[Topic] = []
    if partitions is not None:
        made = lacking(plan, found, partitions)
        await kafka.create([(topic, settings(topic)) for topic in made], replicas)
        found |= {topic.name: topic for topic in made}
    findings = [*mistakes(plan, found), *advice(plan, found)]
    return Shown(topics=_laid(plan, found, made), findings=findings, acls=rights(plan))


def _laid(plan: Plan, found: Mapping[str, Topic], made: Sequence[Topic]) -> list[Laid]:
    roles = dict.fromkeys(inputs(plan), "input") | {topic.name: topic.role for topic in expected(plan, {})}
    new = {topic.name for topic in made}
    return [_line(name, role, found.get(name), new=name in new) for name, role in roles.items()]


def _line(name: str, role: str, topic: Topic | None, *, new: bool) -> Laid:
    if topic is None:
        return Laid(topic=name, role=role, partitions=None)
    kept = "compacted" if topic.compacted else "for ever" if topic.retention is None else duration_text(topic.retention)
    return Laid(
        topic=name, role=role, partitions=topic.partitions, message_bytes=topic.message_bytes, retention=kept, made=new
    )


def _text(shown: Shown) -> str:
    head = ("topic", "role", "partitions", "largest message", "keeps", "")
    lines = [_cells(one) for one in shown.topics]
    findings = [f"finding: {text}" for text in shown.findings] or ["all topics are as they should be"]
    acls = [f"  {one.process}: {one}" for one in shown.acls]
    return "\n".join([columns(head, lines), "", *findings, "", "rights, where the brokers have an authorizer:", *acls])


def _cells(one: Laid) -> tuple[object, ...]:
    partitions = "none" if one.partitions is None else one.partitions
    return one.topic, one.role, partitions, one.message_bytes, one.retention, "made" if one.made else ""
