"""A real Kafka broker for tests: one node, KRaft, in a temporary folder, which may be killed and started again."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.services.running import CACHE, Missing, Program, digest, free_port, made_once, program

_HERE: Final = Path(__file__).parent / "kafka"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_JAVA: Final = "apt-get install openjdk-17-jre-headless"
_MAVEN: Final = "apt-get install maven"
_API_VERSIONS: Final = struct.pack(">hhih", 18, 0, 1, -1)
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=200
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=0
message.max.bytes=2097152
"""


def libraries() -> Path:
    """Give the folder with Kafka's libraries; Maven brings them once.

    Raises:
        Missing: there is no Maven or no Java, or Maven could not bring them.
    """
    folder = CACHE / f"kafka-{digest(_HERE / 'pom.xml')}"
    with made_once(folder) as part:
        if part is not None:
            words = [program("mvn", _MAVEN), "-q", "-B", "-f", str(_HERE / "pom.xml"), _COPY]
            words += ["-DincludeScope=runtime", f"-DoutputDirectory={part}"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode:
                raise Missing(f"Maven could not bring Kafka: {done.stdout[-600:]}")
    return folder


class Broker:
    """A Kafka broker with its own ports and data."""

    def __init__(self, folder: Path, properties: str = "", *, scram: Mapping[str, str] | None = None) -> None:
        """Format its storage in a folder; it does not run yet.

        Args:
            folder: empty; keeps data, settings and log.
            properties: more lines for its settings; the later one of two for the same name counts.
            scram: users with their passwords.

        Raises:
            Missing: there is no Kafka here.
        """
        self.folder = folder
        self.port = free_port()
        self._java = program("java", _JAVA)
        self._libraries = f"{libraries()}{os.sep}*"
        self._settings = folder / "server.properties"
        controller = free_port()
        text = _PROPERTIES.format(port=self.port, controller=controller, data=folder / "data")
        more = properties.format(port=self.port, controller=controller)
        self._settings.write_text(text + more, encoding="utf-8")
        ident = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        words = ["kafka.tools.StorageTool", "format", f"--cluster-id={ident}", "-c", str(self._settings)]
        for user, password in (scram or {}).items():
            words.append(f"--add-scram=SCRAM-SHA-512=[name={user},password={password}]")
        done = subprocess.run(
            [self._java, "-Xmx128m", "-cp", self._libraries, *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Missing(f"Kafka's storage could not be formatted: {done.stdout[-300:]}{done.stderr[-600:]}")
        self._program: Program | None = None

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._program is not None, "it was not started"
        return self._program.process.pid

    def start(self) -> None:
        """Run it, and wait until it answers."""
        options = ["-Xms256m", "-Xmx256m", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
        log = f"-Dlog4j2.configurationFile=file:{_HERE / 'log4j2.properties'}"
        words = [self._java, *options, log, "-cp", self._libraries, "kafka.Kafka", str(self._settings)]
        self._program = Program(words, self.folder / "broker.log")
        self._program.wait_for(self._answers)

    def stop(self) -> None:
        """End it in order."""
        if self._program is not None:
            self._program.stop()

    def kill(self) -> None:
        """End it at once; its data stay."""
        if self._program is not None:
            self._program.kill()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
            return len(connection.recv(4)) == 4
        return False
