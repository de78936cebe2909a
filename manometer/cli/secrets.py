"""`manometer secrets`: the passwords of an installation with InfluxDB and Grafana."""

from __future__ import annotations

from pathlib import Path

import click

from manometer.cli.failure import CommandError, told
from manometer.installing.kept import kept
from manometer.installing.passwords import GRAFANA_PASSWORD, make_missing

folder_option = click.option(
    "--folder",
    metavar="DIR",
    default="secrets",
    show_default=True,
    envvar="MANOMETER_SECRETS",
    help="Holds the secrets: a folder for each process that reads some, a file for each secret.",
)
shared_option = click.option(
    "--shared",
    is_flag=True,
    envvar="MANOMETER_SECRETS_SHARED",
    help="Let all users of the machine read them: for volumes, which are guarded by who mounts them.",
)


@click.group("secrets")
def command() -> None:
    """Make the passwords of an installation; show one.

    Passwords are made by chance and kept in files; the one that people need is Grafana's.

    \b
    Examples:
      $ manometer secrets create --folder secrets
      $ manometer secrets show --folder secrets

    Read next: docs/compose.md
    """  # noqa: D301 - click reads the character that \b stands for


@command.command("create")
@folder_option
@shared_option
def create(folder: str, shared: bool) -> None:
    """Make the secrets that are missing, by chance; those that are there stay.

    \b
    Example:
      $ manometer secrets create --folder secrets

    Exit codes: 0 done; 2 the folder cannot be written.
    """  # noqa: D301 - as above
    with told():
        made = make_missing(Path(folder), shared=shared)
    click.echo(f"{folder}: made {', '.join(made) if made else 'nothing: all are there'}", err=True)


@command.command("show")
@folder_option
def show(folder: str) -> None:
    """Print Grafana's password, for its user admin.

    \b
    Example:
      $ manometer secrets show --folder secrets

    Exit codes: 0 shown; 2 there is none yet.
    """  # noqa: D301 - as above
    with told():
        password = kept(Path(folder) / GRAFANA_PASSWORD)
    if password is None:
        raise CommandError(f"{folder}: there is no {GRAFANA_PASSWORD} yet; `manometer secrets create` makes it")
    click.echo(password)
