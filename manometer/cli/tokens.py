"""`manometer tokens`: a bucket of InfluxDB, and tokens that may do as little with it as they have to."""

from __future__ import annotations

from pathlib import Path

import click

from engine.times import SECOND, parse_duration
from manometer.cli.failure import CommandError, told
from manometer.cli.secrets import folder_option, shared_option
from manometer.installing.influxdb_api import InfluxApi, Refusal
from manometer.installing.kept import kept
from manometer.installing.passwords import OPERATOR_TOKEN
from manometer.installing.tokens import Place, make_tokens


@click.command("tokens")
@click.option(
    "--influxdb", metavar="URL", required=True, envvar="MANOMETER_INFLUXDB", help="InfluxDB 2: http://HOST:PORT."
)
@click.option("--org", default="manometer", show_default=True, envvar="MANOMETER_ORG", help="The organisation.")
@click.option("--bucket", default="archive", show_default=True, envvar="MANOMETER_BUCKET", help="Keeps the archive.")
@click.option(
    "--keep",
    metavar="DURATION",
    envvar="MANOMETER_KEEP",
    help="How long the bucket keeps a point, such as 90d; off is for ever. Left out: as it is, at first for ever.",
)
@folder_option
@shared_option
def command(  # noqa: PLR0913, PLR0917 - click passes options one by one
    influxdb: str, org: str, bucket: str, keep: str | None, folder: str, shared: bool
) -> None:
    """Make InfluxDB's bucket, and tokens to write and read.

    Each token may do one thing with the one bucket, and nothing else.
    The operator's token is read from DIR/influxdb/operator-token; the new ones are written to
    DIR/archiver/influxdb-token and DIR/grafana/influxdb-token. What is there and right stays.

    \b
    Example:
      $ manometer tokens --influxdb http://127.0.0.1:8086 \\
          --folder secrets --keep 90d

    Exit codes: 0 done; 2 InfluxDB cannot be reached or refuses, or the folder cannot be written.

    Read next: docs/compose.md
    """  # noqa: D301 - click reads the character that \b stands for
    place = Place(org, bucket, _seconds(keep))
    with told():
        operator = kept(Path(folder) / OPERATOR_TOKEN)
        if operator is None:
            raise CommandError(f"{folder}: there is no {OPERATOR_TOKEN}; `manometer secrets create` makes one")
        try:
            written = make_tokens(InfluxApi(influxdb, operator), place, Path(folder), shared=shared)
        except Refusal as refusal:
            raise CommandError(f"--influxdb {refusal}") from refusal
    click.echo(f"{folder}: wrote {', '.join(written) if written else 'nothing: all are there'}", err=True)


def _seconds(keep: str | None) -> int | None:
    """Read how long a bucket keeps, in seconds; 0 for ever."""
    if not keep:
        return None
    if keep == "off":
        return 0
    try:
        micros = parse_duration(keep)
    except ValueError as error:
        raise CommandError(f"--keep {keep}: {error}") from error
    if micros < SECOND or micros % SECOND:
        raise CommandError(f"--keep {keep}: expected whole seconds; InfluxDB takes at least an hour")
    return micros // SECOND
