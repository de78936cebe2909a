"""`manometer rejects`: the dead letters of a workflow, listed, shown, and sent again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from engine.clock import SystemClock
from engine.events import Reject
from engine.findings import one_line
from engine.plan import Plan
from engine.recording.lines import write_message
from engine.recording.writer import RecordingWriter
from engine.times import time_text
from manometer.cli.failure import CommandError, told
from manometer.cli.kafka_options import one_place
from manometer.cli.rejects_source import each, source_options, wanted
from manometer.cli.workflow_file import read_plan
from manometer.rejects import Wanted, identity, recorded

_DETAIL: Final = 100


@click.group("rejects")
def command() -> None:
    """Look at dead letters, and send them again.

    A reject is a message that could not become a record, or on which a monitor failed. Its name is
    TOPIC/PARTITION/OFFSET:REASON, and :MONITOR behind it where one failed; without the reason it stands for all rejects
    of that message.

    Read next: docs/rejects.md
    """


@command.command("list")
@click.argument("workflow", metavar="WORKFLOW")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="Print so many at most, the newest ones."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: rejects, counts.")
@source_options
def list_(workflow: str, limit: int, as_json: bool, **options: Any) -> None:
    """List rejects, and count them by reason and monitor.

    \b
    Examples:
      $ manometer rejects list workflows/demo.yaml --since 2h \\
          --kafka 127.0.0.1:9092
      $ manometer rejects list workflows/demo.yaml --reason schema \\
          --data demo.data

    Exit codes: 0 done, whether there are any or not; 2 they cannot be read.

    Read next: docs/rejects.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    choice = wanted((), options, SystemClock())
    newest: deque[Reject] = deque(maxlen=limit)
    counts: Counter[tuple[str, str]] = Counter()

    def visit(reject: Reject) -> None:
        for one in choice.chosen([reject]):
            newest.append(one)
            counts[one.reason, one.monitor or ""] += 1

    each(plan, options, visit)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_as_object(newest, counts))))
        return
    for reject in newest:
        click.echo(_line(reject))
    if sum(counts.values()) > len(newest):
        click.echo(f"{sum(counts.values()) - len(newest)} older ones are not shown; see --limit", err=True)
    for (reason, monitor), count in counts.most_common():
        click.echo(f"{count:>8} {' '.join(filter(None, (reason, monitor)))}")
    click.echo(f"{sum(counts.values()):>8} rejects")


@command.command("show")
@click.argument("workflow", metavar="WORKFLOW")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line: reason, detail, monitor, message.")
@source_options
def show(workflow: str, names: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show rejects whole: why, and the message as it came.

    \b
    Example:
      $ manometer rejects show workflows/demo.yaml notify/0/17 \\
          --kafka 127.0.0.1:9092

    Exit codes: 0 shown; 1 there is none of one of the names; 2 they cannot be read.

    Read next: docs/rejects.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    choice = wanted(names, options, SystemClock())
    found = _collected(plan, choice, options)
    for reject in found:
        click.echo(msgspec.json.encode(_whole(reject)) if as_json else _page(reject))
    lost = [name for name in choice.identities if not any(name.names(identity(reject)) for reject in found)]
    for name in lost:
        click.echo(one_line(f"{name}: there is no such reject"), err=True)
    if lost:
        raise click.exceptions.Exit(1)


@command.command("retry")
@click.argument("workflow", metavar="WORKFLOW")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--to", metavar="FILE", help="Write them to a recording, in place of their topics.")
@source_options
def retry(workflow: str, names: tuple[str, ...], everything: bool, to: str | None, **options: Any) -> None:
    """Send rejects again: the same bytes, key and time, to the same topic and partition.

    Name them, choose them by --reason, --monitor, --topic, --since or --until, or say --all. A reject of a monitor goes
    to that monitor alone; any other is a new message to all of them. It stays on the rejects topic, so that what is
    sent a second time counts a second time.

    \b
    Examples:
      $ manometer rejects retry workflows/demo.yaml notify/0/17:schema \\
          --kafka 127.0.0.1:9092
      $ manometer rejects retry workflows/demo.yaml --monitor throughput \\
          --since 2h --kafka 127.0.0.1:9092
      $ manometer rejects retry workflows/demo.yaml --all --data demo.data \\
          --to rejects.jsonl

    Exit codes: 0 sent; 1 there is nothing to send; 2 they cannot be read, or not be sent.

    Read next: docs/rejects.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    choice = wanted(names, options, SystemClock())
    if everything == (choice != Wanted()):
        raise CommandError("expected names, a choice such as --reason schema, or --all")
    count = _sent(plan, choice, options) if to is None else _written(_collected(plan, choice, options), to)
    click.echo(f"{count} sent again" if to is None else f"{count} written to {to}", err=True)
    if not count:
        raise click.exceptions.Exit(1)


def _collected(plan: Plan, choice: Wanted, options: dict[str, Any]) -> list[Reject]:
    found: list[Reject] = []
    each(plan, options, lambda reject: found.extend(choice.chosen([reject])))
    return found


def _sent(plan: Plan, choice: Wanted, options: dict[str, Any]) -> int:
    connection = one_place(options)
    if connection is None:
        raise CommandError("--data: an embedded process takes messages by POST; write them to a file with --to FILE")
    from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - an extra that embedded users do not need
    from manometer.on_kafka import send_again  # noqa: PLC0415 - as above

    return asked(connection, lambda kafka: send_again(plan, kafka, choice))


def _written(rejects: Sequence[Reject], to: str) -> int:
    count = 0
    with told(), RecordingWriter(to) as file:
        for message in recorded(rejects):
            file.write(message)
            count += 1
    return count


# --- what is shown


def _line(reject: Reject) -> str:
    detail = reject.detail if len(reject.detail) <= _DETAIL else f"{reject.detail[:_DETAIL]}..."
    return one_line(f"{identity(reject)}  {_time(reject)}  {detail}")


def _time(reject: Reject) -> str:
    return "-" if reject.message.time is None else time_text(reject.message.time)


def _page(reject: Reject) -> str:
    message = reject.message
    lines = [
        str(identity(reject)),
        f"  detail: {reject.detail}",
        f"  time: {_time(reject)}",
        f"  key: {_text(message.key)}",
    ]
    return "\n".join([*map(one_line, lines), f"  value: {_text(message.value)}"])


def _text(data: bytes | None) -> str:
    """Show bytes as text, as far as they are."""
    return "none" if data is None else one_line(data.decode("utf-8", "backslashreplace"))


def _whole(reject: Reject) -> dict[str, Any]:
    message = msgspec.Raw(write_message(reject.message).rstrip())
    told = {"name": str(identity(reject)), "reason": reject.reason, "detail": reject.detail, "monitor": reject.monitor}
    return {**told, "message": message}


def _as_object(rejects: Iterable[Reject], counts: Counter[tuple[str, str]]) -> dict[str, Any]:
    lines = [
        {"reason": reason, "monitor": monitor or None, "count": count}
        for (reason, monitor), count in counts.most_common()
    ]
    return {"rejects": [_whole(reject) for reject in rejects], "counts": lines}
