"""How a client of Kafka proves who it is, and how what it says is kept from others."""

from __future__ import annotations

import ssl
from typing import Any, Final, Literal

import msgspec

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class Secret(str):
    """A text that no error and no log shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide it."""
        return "'***'"


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol of a listener, with what it asks for."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str = ""
    password: Secret = Secret("")
    ca_file: str | None = None
    """Certificates that brokers are trusted by; those of the system where it is left out."""
    cert_file: str | None = None
    """Certificate that shows brokers who this is."""
    key_file: str | None = None

    def options(self) -> dict[str, Any]:
        """Give the options of an aiokafka client.

        Raises:
            OSError: a certificate cannot be read, or is none.
        """
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            options["ssl_context"] = self._context()
        if self.protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": str(self.password),
            }
        return options

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


OPEN: Final = Security()
"""No proof and no cover: for brokers on this machine, and trials."""


class Connection(msgspec.Struct, frozen=True):
    """Where a Kafka installation is, and how to prove who one is."""

    servers: str
    """HOST:PORT, several with commas."""
    security: Security = OPEN
