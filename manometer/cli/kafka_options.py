"""The options that say where a Kafka installation is and how to prove who one is: the same for all commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, Final, get_args

import click

from engine.kafka.security import OPEN, Connection, Mechanism, Protocol, Secret, Security
from manometer.cli.failure import CommandError, what_failed

_SECURITY: Final = (
    click.option(
        "--security",
        type=click.Choice(get_args(Protocol), case_sensitive=False),
        default=OPEN.protocol,
        show_default=True,
        envvar="MANOMETER_KAFKA_SECURITY",
        help="The protocol of the listener at HOST:PORT.",
    ),
    click.option(
        "--mechanism",
        type=click.Choice(get_args(Mechanism), case_sensitive=False),
        default=OPEN.mechanism,
        show_default=True,
        envvar="MANOMETER_KAFKA_MECHANISM",
        help="With SASL: how the password is proved.",
    ),
    click.option("--user", metavar="NAME", envvar="MANOMETER_KAFKA_USER", help="With SASL: who this is."),
    click.option(
        "--password-file", metavar="FILE", envvar="MANOMETER_KAFKA_PASSWORD_FILE", help="With SASL: holds the password."
    ),
    click.option(
        "--allow-plain-text",
        is_flag=True,
        envvar="MANOMETER_KAFKA_ALLOW_PLAIN_TEXT",
        help="Let SASL_PLAINTEXT send the password over an open line.",
    ),
    click.option(
        "--ca-file",
        metavar="FILE",
        envvar="MANOMETER_KAFKA_CA_FILE",
        help="With SSL: the certificates to trust; those of the system if left out.",
    ),
    click.option(
        "--cert-file",
        metavar="FILE",
        envvar="MANOMETER_KAFKA_CERT_FILE",
        help="With SSL: the certificate of this client.",
    ),
    click.option("--key-file", metavar="FILE", envvar="MANOMETER_KAFKA_KEY_FILE", help="With SSL: its private key."),
)
_SERVERS: Final = click.option(
    "--kafka",
    metavar="HOST:PORT",
    required=True,
    envvar="MANOMETER_KAFKA",
    help="The Kafka installation; several servers with commas.",
)


def security_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that prove who one is."""
    return reduce(lambda made, option: option(made), reversed(_SECURITY), command)


def kafka_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--kafka`, which has to be given, and the options that prove who one is."""
    return _SERVERS(security_options(command))


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where a workflow runs: `--kafka` or `--data`, see `one_place`."""
    kafka = click.option("--kafka", metavar="HOST:PORT", envvar="MANOMETER_KAFKA", help="It runs on Kafka there.")
    data = click.option("--data", metavar="DIR", help="The folder of an embedded process, which may be running.")
    return kafka(data(security_options(command)))


def one_place(options: Mapping[str, Any]) -> Connection | None:
    """Give the Kafka installation that is meant; None where it is the folder `--data`.

    Raises:
        CommandError: it is neither, or both.
    """
    if (options["kafka"] is None) == (options["data"] is None):
        raise CommandError("expected either --kafka HOST:PORT or --data DIR")
    return None if options["kafka"] is None else connection(options["kafka"], options)


def connection(kafka: str, options: Mapping[str, Any]) -> Connection:
    """Read what the options say.

    Raises:
        CommandError: one of them makes no sense, or a file cannot be read.
    """
    protocol = options["security"]
    _see_servers(kafka)
    _see_secrets(protocol, options)
    password = _password(options["password_file"]) if options["password_file"] else ""
    security = Security(
        protocol=protocol,
        mechanism=options["mechanism"],
        user=options["user"] or "",
        password=Secret(password),
        ca_file=options["ca_file"],
        cert_file=options["cert_file"],
        key_file=options["key_file"],
    )
    try:
        security.options()
    except OSError as error:
        files = ", ".join(filter(None, (options["ca_file"], options["cert_file"], options["key_file"])))
        raise CommandError(f"--security {protocol}: {files}: {what_failed(error)}") from error
    return Connection(kafka, security)


def _see_servers(kafka: str) -> None:
    for server in kafka.split(","):
        host, colon, port = server.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
            raise CommandError(f"--kafka {kafka}: expected HOST:PORT, got {server!r}")


def _see_secrets(protocol: str, options: Mapping[str, Any]) -> None:
    """Refuse options that do not go together: a password that is not used is as wrong as one that is told to all."""
    sasl, tls = protocol.startswith("SASL"), protocol.endswith("SSL")
    named = {"user": "--user", "password_file": "--password-file"}
    for name, option in named.items():
        if sasl != bool(options[name]):
            words = f"needs {option}" if sasl else f"does not use {option}; choose SASL_SSL"
            raise CommandError(f"--security {protocol} {words}")
    for name, option in (("ca_file", "--ca-file"), ("cert_file", "--cert-file"), ("key_file", "--key-file")):
        if options[name] and not tls:
            raise CommandError(f"--security {protocol} does not use {option}; choose SSL or SASL_SSL")
    if options["key_file"] and not options["cert_file"]:
        raise CommandError("--key-file belongs to --cert-file; give both")
    if sasl and not tls and not options["allow_plain_text"]:
        words = "SASL_PLAINTEXT sends the password over an open line; choose SASL_SSL"
        raise CommandError(f"{words}, or allow it by name with --allow-plain-text")


def _password(file: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--password-file {file}: {what_failed(error)}") from error
    if not text:
        raise CommandError(f"--password-file {file}: expected a password, got an empty file")
    return text
