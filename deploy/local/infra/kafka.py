"""A one-node Apache Kafka (KRaft) from its published jars. Flags and traps: FINDINGS, "Apache Kafka without Docker"."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import sockets, tools
from deploy.local.children import Child, ended, kill, spawn, stop
from deploy.local.infra.ports import InfraError

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log_dir}
num.network.threads=1
num.io.threads=2
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=8388608
log.cleaner.backoff.ms=1000
"""
# After SIGKILL the old session (9 s by default) holds the new broker back: 4 s for people, 2 s under chaos.
_SESSION = "broker.session.timeout.ms={ms}\nbroker.heartbeat.interval.ms=500\n"
_LOGGING = """\
Configuration:
  status: warn
  Appenders:
    Console: {name: out, target: SYSTEM_OUT, PatternLayout: {pattern: "%d %p %c{1}: %m%n"}}
  Loggers:
    Root: {level: warn, AppenderRef: {ref: out}}
    Logger: [{name: kafka.server.KafkaRaftServer, level: info}]
"""
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss512k", "-Djava.net.preferIPv4Stack=true", "-Xshare:auto")


@dataclass(slots=True)
class Kafka:
    """The broker of one data folder; ports stay the same over kill and restart.

    With `record_to` it writes the archives of its classes there instead of using those of the tools folder.
    """

    folder: Path
    port: int
    controller_port: int
    chaos: bool = False
    heap_mb: int = 256
    record_to: Path | None = None
    child: Child | None = field(default=None, init=False)

    @property
    def log_dir(self) -> Path:
        """The broker's own data."""
        return self.folder / "log"

    async def start(self) -> None:
        """Format when new, start, return when the port answers (= ready). Raises `InfraError` with the log's end."""
        self._write_settings()
        if not (self.log_dir / "meta.properties").exists():
            await self._format()
        self.child = child = self._spawn("broker", "kafka.Kafka", str(self._settings))
        if not await sockets.until_answers(self.port, 60, lambda: child.exit_code is None):
            raise InfraError(f"Kafka did not start:\n{child.tail()}")

    async def stop(self) -> None:
        """SIGTERM; the broker flushes and ends."""
        if self.child:
            await stop(self.child, 20)

    async def kill(self) -> None:
        """SIGKILL."""
        if self.child:
            await kill(self.child)

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def _write_settings(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        known = _PROPERTIES.format(port=self.port, controller_port=self.controller_port, log_dir=self.log_dir)
        self._settings.write_text(known + _SESSION.format(ms=2000 if self.chaos else 4000))
        (self.folder / "log4j2.yaml").write_text(_LOGGING)

    async def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        child = self._spawn("format", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._settings))
        if not await ended(child, 60) or child.exit_code:
            await kill(child)
            raise InfraError(f"Kafka's storage could not be formatted:\n{child.tail()}")

    def _spawn(self, name: str, *main: str) -> Child:
        command = [tools.java(), f"-Xmx{self.heap_mb}m", "-Xms64m", *_JVM, *self._archive(name)]
        command += [f"-Dlog4j2.configurationFile={self.folder / 'log4j2.yaml'}", "-cp", class_path(), *main]
        return spawn(f"kafka-{name}", command, self.folder / f"{name}.out")

    def _archive(self, name: str) -> list[str]:
        if self.record_to:
            return [f"-XX:ArchiveClassesAtExit={self.record_to / name}.jsa"]
        known = tools.local_folder() / "kafka" / f"{name}.jsa"
        return [f"-XX:SharedArchiveFile={known}"] if known.exists() else []


def class_path() -> str:
    """All of the broker's jars, sorted: a shared class archive holds for one class path only."""
    return ":".join(sorted(str(jar) for jar in (tools.local_folder() / "kafka" / "libs").glob("*.jar")))
