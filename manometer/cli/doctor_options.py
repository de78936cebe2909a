"""The options of `manometer doctor` that say where InfluxDB and Grafana are, and with which secrets to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, Final

import click

from manometer.cli.failure import CommandError, what_failed
from manometer.diagnosing.grafana import Login
from manometer.diagnosing.influxdb import Store
from manometer.installing.passwords import GRAFANA_PASSWORD
from manometer.installing.tokens import ARCHIVER_TOKEN, GRAFANA_TOKEN

_OPTIONS: Final = (
    click.option("--influxdb", metavar="URL", envvar="MANOMETER_INFLUXDB", help="Look at this InfluxDB 2."),
    click.option(
        "--org", default="manometer", show_default=True, envvar="MANOMETER_ORG", help="InfluxDB's organisation."
    ),
    click.option(
        "--bucket", default="archive", show_default=True, envvar="MANOMETER_BUCKET", help="Keeps the archive."
    ),
    click.option("--write-token-file", metavar="FILE", help="Holds the archiver's token for InfluxDB."),
    click.option("--read-token-file", metavar="FILE", help="Holds Grafana's token for InfluxDB."),
    click.option("--grafana", metavar="URL", envvar="MANOMETER_GRAFANA", help="Look at this Grafana."),
    click.option("--grafana-token-file", metavar="FILE", help="Holds the token of a service account of Grafana."),
    click.option("--grafana-user", metavar="NAME", default="admin", show_default=True, help="Or: a user of Grafana."),
    click.option("--grafana-password-file", metavar="FILE", help="With --grafana-user: holds the password."),
    click.option(
        "--folder",
        metavar="DIR",
        envvar="MANOMETER_SECRETS",
        help="Holds the secrets that no option names, as `manometer secrets` and `manometer tokens` write them.",
    ),
)


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


def store_of(options: Mapping[str, Any]) -> Store | None:
    """Say which bucket is to be looked at, and with which tokens; None where none is.

    Raises:
        CommandError: there is no token, or a file cannot be read.
    """
    if not options["influxdb"]:
        return None
    writes = _secret(options, "write_token_file", ARCHIVER_TOKEN)
    reads = _secret(options, "read_token_file", GRAFANA_TOKEN)
    if writes is None and reads is None:
        raise CommandError("--influxdb: expected --write-token-file, --read-token-file or both, or --folder DIR")
    return Store(url=options["influxdb"], org=options["org"], bucket=options["bucket"], writes=writes, reads=reads)


def login_of(options: Mapping[str, Any]) -> Login | None:
    """Say who asks Grafana; None where nobody does.

    Raises:
        CommandError: there is no secret, or its file cannot be read.
    """
    if not options["grafana"]:
        return None
    if options["grafana_token_file"]:
        return Login(_read("grafana_token_file", Path(options["grafana_token_file"])))
    password = _secret(options, "grafana_password_file", GRAFANA_PASSWORD)
    if password is None:
        raise CommandError("--grafana: expected --grafana-token-file or --grafana-password-file, or --folder DIR")
    return Login(password, options["grafana_user"])


def _secret(options: Mapping[str, Any], option: str, name: str) -> str | None:
    """Read the file that an option names, or the one of the folder; None where neither is there."""
    if options[option]:
        return _read(option, Path(options[option]))
    file = None if options["folder"] is None else Path(options["folder"]) / name
    return None if file is None or not file.exists() else _read("folder", file)


def _read(option: str, file: Path) -> str:
    shown = f"--{option.replace('_', '-')} {file}"
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{shown}: {what_failed(error)}") from error
    if not (secret.isascii() and secret.isprintable() and secret):
        raise CommandError(f"{shown}: expected a secret of printable ASCII in one line")
    return secret
