"""The three servers as testcontainers classes of our own: the library's Kafka wants one vendor's image, its MongoDB is
no replica set. Each publishes ports chosen beforehand on loopback, which it keeps over kill and start.

Kafka and mongod listen on the *same* port inside: the address they name to clients is then true on both sides.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pymongo
from pymongo.errors import PyMongoError
from testcontainers.core.container import DockerContainer

from deploy.local.infra import engine
from deploy.local.infra.mail import KEYSTORE_PASSWORD, make_certificate
from deploy.local.infra.mongo import become_primary
from deploy.local.infra.ports import Options
from deploy.local.sockets import HOST

_MB = 1024 * 1024
_TO_INSIDE = {"smtp": 3025, "smtps": 3465, "imap": 3143, "imaps": 3993, "mail-api": 8080}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one start keeps things: ports by name, the volumes' shared name, the cluster's id."""

    ports: Mapping[str, int]
    volumes: str
    cluster: str


class Server(DockerContainer):
    """One container of ours: labelled, bounded in memory, ready by a probe at start and again after `revive`."""

    def __init__(self, image: str, probe: Callable[[], bool], memory_mb: int) -> None:
        super().__init__(image)
        self.with_kwargs(labels=engine.labels(), mem_limit=memory_mb * _MB)
        self._answers = engine.Answers(probe)
        self.waiting_for(self._answers)

    def publish(self, inside: int, outside: int) -> None:
        """Before the start: the host's port for a port of the container."""
        self.ports[f"{inside}/tcp"] = (HOST, outside)  # type: ignore[assignment]  # the engine takes pairs

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        container = self.get_wrapped_container()
        container.kill()
        container.wait()

    def revive(self) -> None:
        """Start the killed container again: same port, same data."""
        self.get_wrapped_container().start()
        self._answers.wait_until_ready(self)


class Kafka(Server):
    """A one-node broker (KRaft)."""

    def __init__(self, options: Options, place: Place) -> None:
        port = place.ports["kafka"]
        super().__init__(engine.image("KAFKA_IMAGE"), lambda: _kafka_answers(port), options.heap_mb + 512)
        self.publish(port, port)
        self.with_volume_mapping(f"{place.volumes}-kafka", "/var/lib/kafka/data", "rw")
        self.with_envs(CLUSTER_ID=place.cluster, **_kafka_settings(port, options))


class Mongo(Server):
    """A one-node replica set."""

    def __init__(self, options: Options, place: Place) -> None:
        self._port = place.ports["mongo"]
        super().__init__(engine.image("MONGO_IMAGE"), lambda: _mongo_answers(self._port), 1024)
        self.publish(self._port, self._port)
        self.with_volume_mapping(f"{place.volumes}-mongo", "/data/db", "rw")
        self.with_command(
            f"mongod --bind_ip_all --port {self._port} --replSet rs0 --wiredTigerCacheSizeGB 1 --oplogSize 64"
            " --setParameter diagnosticDataCollectionEnabled=false"
        )

    def start(self) -> Mongo:
        """Start, and initiate the set when it is new."""
        super().start()
        become_primary(self._port)
        return self

    def revive(self) -> None:
        """Start again; ready when it may be written to."""
        super().revive()
        become_primary(self._port)


class Mail(Server):
    """GreenMail with a certificate of ours; keeps nothing over a restart."""

    def __init__(self, options: Options, place: Place) -> None:
        api = place.ports["mail-api"]
        super().__init__(engine.image("GREENMAIL_IMAGE"), lambda: _mail_answers(api), 512)
        for name, inside in _TO_INSIDE.items():
            self.publish(inside, place.ports[name])
        folder = options.folder / "mail"
        make_certificate(folder)
        self.with_copy_into_container((folder / "server.p12").read_bytes(), "/opt/server.p12")
        self.with_env(
            "GREENMAIL_OPTS",
            "-Dgreenmail.setup.test.all -Dgreenmail.hostname=0.0.0.0 -Dgreenmail.startup.timeout=20000"
            f" -Dgreenmail.tls.keystore.file=/opt/server.p12 -Dgreenmail.tls.keystore.password={KEYSTORE_PASSWORD}",
        )


def _kafka_settings(port: int, options: Options) -> dict[str, str]:
    settings = {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/var/lib/kafka/data",
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": str(8 * _MB),
        "log.cleaner.backoff.ms": "1000",
    }
    if options.chaos:
        settings |= {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"}
    named = {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in settings.items()}
    flags = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss512k"
    return named | {"KAFKA_HEAP_OPTS": f"-Xms64m -Xmx{options.heap_mb}m", "KAFKA_JVM_PERFORMANCE_OPTS": flags}


def _kafka_answers(port: int) -> bool:
    """One ApiVersions request, version 0, correlation id 1, no client id; the broker answers once it takes requests."""
    with socket.create_connection((HOST, port), timeout=1) as connection:
        connection.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
        return connection.recv(8)[4:] == struct.pack(">i", 1)


def _mongo_answers(port: int) -> bool:
    url = f"mongodb://{HOST}:{port}/?directConnection=true&serverSelectionTimeoutMS=500"
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        try:
            return bool(client.admin.command("ping")["ok"])
        except PyMongoError:
            return False


def _mail_answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/api/service/readiness", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
