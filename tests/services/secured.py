"""A broker that also listens with passwords and certificates, and lets known users do what they may, no more."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from tests.services.broker import Broker
from tests.services.running import Missing, free_port, program

_KINDS: Final = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
_OPERATIONS: Final = (
    *("Unknown", "Any", "All", "Read", "Write", "Create", "Delete", "Alter", "Describe"),
    *("ClusterAction", "DescribeConfigs", "AlterConfigs", "IdempotentWrite"),
)
_LITERAL, _PREFIXED, _ALLOWED = 3, 4, 3
"""Numbers of Kafka's protocol."""
USERS: Final = {"worker": "worker-secret", "operator": "operator-secret", "sensors": "sensors-secret"}
_PLAIN: Final = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
_LOGIN: Final = "org.apache.kafka.common.security"
_PROPERTIES: Final = """\
listeners=PLAINTEXT://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}},\
SASL_PLAINTEXT://127.0.0.1:{sasl},SASL_SSL://127.0.0.1:{sasl_ssl}
advertised.listeners=PLAINTEXT://127.0.0.1:{{port}},\
SASL_PLAINTEXT://127.0.0.1:{sasl},SASL_SSL://127.0.0.1:{sasl_ssl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config={login}.plain.PlainLoginModule required {plain};
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Secured(Broker):
    """A broker with two further listeners; who comes without a password may do everything."""

    def __init__(self, folder: Path) -> None:
        """Format its storage in a folder; it does not run yet.

        Raises:
            Missing: there is no Kafka, or no openssl, here.
        """
        self.sasl, self.sasl_ssl = (f"127.0.0.1:{free_port()}" for _ in range(2))
        """The addresses of the listeners SASL_PLAINTEXT and SASL_SSL."""
        self.certificate = folder / "certificate.pem"
        """What clients have to trust."""
        keystore = folder / "keystore.pem"
        _certify(self.certificate, keystore)
        sasl, sasl_ssl = (address.rpartition(":")[2] for address in (self.sasl, self.sasl_ssl))
        properties = _PROPERTIES.format(sasl=sasl, sasl_ssl=sasl_ssl, login=_LOGIN, plain=_PLAIN, keystore=keystore)
        super().__init__(folder, properties, scram=USERS)

    def password_file(self, user: str) -> Path:
        """Give the file that holds a user's password."""
        path = self.folder / f"{user}.password"
        path.write_text(f"{USERS[user]}\n", encoding="utf-8")
        return path

    def allow(self, user: str, rights: Iterable[tuple[str, str, str]], *, prefixed: bool = False) -> None:
        """Give a user rights: kind, name and operation in the words of kafka-acls."""
        asyncio.run(_allow(self.address, f"User:{user}", rights, prefixed=prefixed))


async def _allow(address: str, user: str, rights: Iterable[tuple[str, str, str]], *, prefixed: bool) -> None:
    pattern = _PREFIXED if prefixed else _LITERAL
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        for kind, name, operation in rights:
            request = CreateAclsRequest(_KINDS[kind], name, pattern, user, "*", _OPERATIONS.index(operation), _ALLOWED)
            ((code, told),) = (
                await admin._send_request(request)
            ).creation_responses  # the client has no way of its own
            assert not code, told
    finally:
        await admin.close()


def _certify(certificate: Path, keystore: Path) -> None:
    """Make a certificate of 127.0.0.1 that vouches for itself."""
    key = keystore.with_name("key.pem")
    words = [program("openssl", "apt-get install openssl"), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "30"]
    words += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1", "-addext"]
    words += ["subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"openssl could not make a certificate: {done.stderr[-300:]}")
    keystore.write_text(key.read_text(encoding="ascii") + certificate.read_text(encoding="ascii"), encoding="ascii")
