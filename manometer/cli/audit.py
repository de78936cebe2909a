"""`manometer audit`: the proof from the archive that nothing is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from archiver.sink import Broken, Busy
from engine.clock import SystemClock
from engine.embedded.store import StoreFailed
from engine.findings import one_line
from engine.plan import Plan
from manometer import audit_embedded
from manometer.audit import Audit
from manometer.audit_telling import write_text
from manometer.cli.columns import columns
from manometer.cli.failure import CommandError, told
from manometer.cli.kafka_options import connection, one_place, place_options
from manometer.cli.workflow_file import read_plan
from manometer.sinks import SinkMistake, parse_sinks


@click.command("audit")
@click.argument("workflow", metavar="WORKFLOW")
@click.option(
    "--sink", "sinks", metavar="KIND=TARGET", multiple=True, help="Count the points of this store as well; as archive."
)
@click.option(
    "--metrics", is_flag=True, help="With --kafka: put the result onto the archive topic, as metrics and an alert."
)
@click.option("--prometheus-file", metavar="FILE", help="Write the result as metrics in Prometheus' text format.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@place_options
def command(
    workflow: str, sinks: tuple[str, ...], metrics: bool, prometheus_file: str | None, as_json: bool, **options: Any
) -> None:
    """Prove that nothing is missing in the archive.

    Each message of the archive says which offsets of an input it covers. For each partition of each input: offsets
    covered, gaps, and repeats, which a crash leaves and which say the same again. For each sink: emissions read, and
    whether they were written, rejected, expired or are pending. With --sink a store is asked how many points it has.

    \b
    Examples:
      $ manometer audit workflows/demo.yaml --kafka 127.0.0.1:9092
      $ manometer audit workflows/demo.yaml --data demo.data \\
          --sink sqlite=demo.data/archive.db

    With --metrics the result goes onto the archive topic: the board Manometer shows it, and the alert
    ArchiveIncomplete fires while something is missing.

    Exit codes: 0 all adds up; 1 a gap, or a count that does not add up; 2 the archive or a store cannot be read.

    Read next: docs/audit.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    if metrics and options["kafka"] is None:
        raise CommandError("--metrics belongs to --kafka; elsewhere --prometheus-file FILE takes the result")
    found = _audit(plan, _counts(plan, sinks), options)
    if prometheus_file is not None:
        with told():
            write_text(found, Path(prometheus_file))
    if metrics:
        _send(plan, found, options)
    click.echo(msgspec.json.format(msgspec.json.encode(found)).decode() if as_json else _text(found))
    if found.findings:
        raise click.exceptions.Exit(1)


def _audit(plan: Plan, counts: Mapping[str, int], options: Mapping[str, Any]) -> Audit:
    there = one_place(options)
    if there is None:
        try:
            return audit_embedded.audit(plan, Path(options["data"]), counts)
        except StoreFailed as error:
            raise CommandError(f"--data {options['data']}: {error}") from error
    try:
        from manometer import audit_kafka  # noqa: PLC0415 - an extra that embedded users do not need
        from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise CommandError(f"--kafka: {error.name} is not installed; pip install 'manometer[kafka]'") from error
    return asked(there, lambda kafka: audit_kafka.audit(plan, kafka, counts))


def _send(plan: Plan, found: Audit, options: Mapping[str, Any]) -> None:
    """Put the result onto the archive topic, after it was read."""
    from manometer import audit_kafka  # noqa: PLC0415 - as above
    from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - as above

    there = connection(options["kafka"], options)
    asked(there, lambda kafka: audit_kafka.send(plan, kafka, found, SystemClock().now()))


def _counts(plan: Plan, sinks: Sequence[str]) -> dict[str, int]:
    """Ask each store that is named how many points of the workflow it has."""
    counts = {}
    try:
        for spec in parse_sinks(sinks):
            found = spec.points(plan.workflow)
            if found is None:
                raise CommandError(f"--sink {spec.kind}: what was sent there cannot be counted")
            counts[spec.name] = found
    except SinkMistake as error:
        raise CommandError(f"--sink: {error}") from None
    except (Broken, Busy) as error:
        raise CommandError(f"--sink: {error}") from error
    return counts


def _text(found: Audit) -> str:
    return "\n".join(_lines(found))


def _lines(found: Audit) -> Iterator[str]:
    yield columns(
        ("topic", "partition", "group", "first", "last", "covered", "gaps", "repeats"),
        [
            (one.topic, one.partition, one.group, one.first, one.last, one.offsets, len(one.gaps), one.repeats)
            for one in found.coverage
        ],
    )
    yield ""
    head = ("sink", "read", "written", "rejected", "expired", "pending", "in store")
    cells = [(s.name, s.read, s.written, s.rejected, s.expired, s.pending, s.points) for s in found.sinks]
    yield columns(head, cells) if cells else "no sink has read the archive yet"
    yield ""
    points = "" if found.points is None else f", {found.points} points of {found.workflow}"
    yield f"the archive holds {found.emissions} emissions{points}"
    yield from (one_line(f"finding: {text}") for text in found.findings)
    if not found.findings:
        yield "nothing is missing"
