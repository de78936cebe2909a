"""`manometer replay`: recorded streams in, metrics and alerts out, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.clock import SystemClock
from engine.findings import listing
from engine.plan import Plan
from engine.recording.byte_lines import STANDARD_STREAM
from engine.recording.files import Input
from manometer.cli.collecting import collecting_rarely
from manometer.cli.failure import told
from manometer.cli.progress import files_read, wanted
from manometer.cli.replay_inputs import named, opened, partitions
from manometer.cli.replay_results import Results, Targets
from manometer.cli.workflow_file import read_plan
from manometer.replay import ReplayCounts, replay

_TOLD: Final = ("messages", "emissions", "rejects", "seconds")


@click.command("replay")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--input", "inputs", metavar="STREAM=FILE", multiple=True, help="A stream and its file; - is stdin.")
@click.option("--out", metavar="FILE", help="Where emissions go; - is stdout, the default if there is no --store.")
@click.option("--rejects", metavar="FILE", help="Where rejects go: a recording with the reasons in the headers.")
@click.option("--store", metavar="FILE.db", help="An SQLite file to write the emissions to.")
def command(workflow: str, inputs: tuple[str, ...], out: str | None, rejects: str | None, store: str | None) -> None:
    """Turn recorded streams into metrics and alerts.

    No network and no clock: the same input gives the same bytes. FILE is a recording, a .jsonl file or a .csv file
    with a header line, each also as .gz. Inputs are merged by event time. Each emission is a JSON object on a line of
    its own. The last line on standard error is a JSON object too: the counts.

    \b
    Example:
      $ manometer replay workflows/day.yaml \\
          --input notify=data/demo-day.notify.jsonl.gz \\
          --input requests=data/demo-day.requests.jsonl.gz

    Results named .gz are compressed. A result has its name only when it is whole; what had the name before is
    replaced. A store keeps what it holds, and holds an emission once, however often it comes.

    Exit codes: 0 done, also with rejects and alerts; 2 the workflow has mistakes, an input cannot be read, or a
    result cannot be written.

    Read next: manometer check --help, docs/conformance.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    files = named(plan, inputs)
    targets = Targets(out=STANDARD_STREAM if out is None and store is None else out, rejects=rejects, store=store)
    targets.check(inputs=[workflow, *files.values()])
    with told():
        counts = _run(plan, files, targets)
    if counts.skipped:
        click.echo(
            f"{counts.skipped} messages were skipped: their offset is not above that of a message before them; "
            "replay one topic and one recording a stream",
            err=True,
        )
    click.echo(msgspec.json.encode({name: getattr(counts, name) for name in _TOLD}), err=True)


def _run(plan: Plan, files: dict[str, str], targets: Targets) -> ReplayCounts:
    clock = SystemClock()
    with opened(plan, files) as inputs, Results(targets) as results:
        _tell_unread(plan, files)
        with collecting_rarely(), _bar([given for _, given in inputs], targets) as progress:
            counts = replay(plan, inputs, results.take, clock=clock, partitions=partitions(inputs), progress=progress)
            results.finish()
    if results.refused:
        click.echo(f"{results.refused} emissions cannot be stored and are not in {targets.store}", err=True)
    return counts


def _tell_unread(plan: Plan, files: dict[str, str]) -> None:
    unread = [stream for stream in plan.streams if stream not in files]
    if unread:
        click.echo(f"no --input for {listing(unread)}; monitors see nothing of it", err=True)


def _bar(inputs: Sequence[Input], targets: Targets) -> AbstractContextManager[Callable[[], None]]:
    if wanted(results_on_stdout=targets.out == STANDARD_STREAM):
        return files_read(inputs, clock=SystemClock())
    return nullcontext(lambda: None)
