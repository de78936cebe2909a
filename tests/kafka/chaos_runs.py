"""Many runs of chaos, each from a seed, against a broker of its own: a line for each, and a page with all of them."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from tests.kafka import chaos
from tests.services.broker import Broker
from tests.services.running import Missing

COLUMNS: Final = ("messages", "emissions", "repeats", "add", "term", "kill", "freeze", "broker", "ended", "seconds")
CALLED: Final = {"add": "added", "term": "stopped", "kill": "killed", "freeze": "frozen"}
HEAD: Final = """\
# Chaos

Workers of `manometer run --kafka` are added, sent SIGTERM, killed with SIGKILL and frozen with SIGSTOP until others
have their partitions, and the broker is killed and started again, at random moments from a seed, while records flow:
sensor reports of {engines} engines and a joined pair of topics, in {partitions} partitions each. Then the archive has
to be complete by its headers, its emissions have to equal those of one quiet run exactly, the rejects too, every offset
has to be committed, and what is there twice has to be identical. `make chaos SEEDS={seeds}` runs it again.

{records:,} sensor reports and {pairs:,} pairs in {flow:g} seconds for each seed; {machine}, Python {python}, {date}.
Exact: {exact} of {runs}.

- messages, emissions: what was written to the inputs, and what the archive has to hold.
- repeats: emissions that are there once more, identical.
- added to broker: how often workers were added, stopped, killed and frozen, and the broker was killed.
- ended: workers that ended by themselves because they could not go on, and were started again.

| seed | result | {heads} |
| ---: | --- | {rules} |
"""


def asked(words: list[str]) -> Namespace:
    """Read the words of the command."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed; others follow it")
    parser.add_argument("--records", type=int, default=100_000, help="sensor reports of each run")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they flow")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="where the page goes")
    return parser.parse_args(words)


def line_of(seed: int, result: str, figures: dict[str, Any]) -> str:
    """Write a run as a line of the table."""
    return f"| {seed} | {result} | {' | '.join(f'{figures.get(name, 0):,}' for name in COLUMNS)} |"


def one(folder: Path, seed: int, given: Namespace) -> tuple[str, dict[str, Any]]:
    """Run one seed; gives what came of it, and the figures where it is exact."""
    begun = time.monotonic()
    broker = Broker(folder)
    broker.start()
    try:
        figures = chaos.run(broker, folder, seed, records=given.records, seconds=given.seconds)
    except (AssertionError, TimeoutError) as error:
        return f"failed: {str(error).splitlines()[0] if str(error) else type(error).__name__}", {}
    finally:
        broker.stop()
    ended = sum(count for name, count in figures.items() if name.startswith("ended "))
    return "exact", {**figures, "ended": ended, "seconds": round(time.monotonic() - begun)}


def page(lines: list[str], exact: int, given: Namespace) -> str:
    """Write the page."""
    head = HEAD.format(
        engines=chaos.ENGINES,
        partitions=chaos.PARTITIONS,
        seeds=given.seeds,
        records=given.records,
        pairs=given.records // 10,
        flow=given.seconds,
        machine=f"{os.cpu_count()} cores, {platform.system()}",
        python=platform.python_version(),
        date=datetime.now(timezone.utc).date().isoformat(),
        exact=exact,
        runs=len(lines),
        heads=" | ".join(CALLED.get(name, name) for name in COLUMNS),
        rules=" | ".join("---:" for _ in COLUMNS),
    )
    return head + "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    """Run all seeds; the page is written anew after each of them."""
    given = asked(words)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells each try while the broker is away
    lines: list[str] = []
    exact = 0
    for seed in range(given.first, given.first + given.seeds):
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
        try:
            result, figures = one(folder, seed, given)
        except Missing as missing:
            sys.stderr.write(f"{missing}\n")
            return 2
        exact += result == "exact"
        lines.append(line_of(seed, result, figures))
        sys.stdout.write(f"{lines[-1]}\n")
        sys.stdout.flush()
        if result == "exact":
            shutil.rmtree(folder, ignore_errors=True)
        else:
            sys.stdout.write(f"the logs of seed {seed} are in {folder}\n")
        if given.write is not None:
            given.write.write_text(page(lines, exact, given), encoding="utf-8")
    sys.stdout.write(f"{exact} of {len(lines)} exact\n")
    return 0 if exact == len(lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
