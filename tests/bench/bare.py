"""The bare path: the same hops as a message takes, and nothing else, in one process.

request → Mongo insert → 202; → Kafka → (signature) → Kafka → (outbox) Mongo insert → compare-and-set → SMTP → Mongo
update → Kafka. Everything is acknowledged by a majority and by all replicas. It tells what the servers and the machine
cost at this moment, whatever our code does.

    python -m tests.bench.bare KAFKA MONGO SMTP_PORT        prints its port
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiosmtplib
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from tests.bench.floor import TEXT

WANTED, COMPOSED, OUTBOUND = "bench.wanted", "bench.composed", "bench.outbound"


class Bare:
    """All hops of one message, by message id."""

    def __init__(self, kafka: str, mongo: str, smtp_port: int) -> None:
        self._kafka = kafka
        self._mongo: Any = AsyncIOMotorClient(mongo)
        majority = WriteConcern("majority")
        self._taken = self._mongo.bench_bare.get_collection("taken", write_concern=majority)
        self._outbox = self._mongo.bench_bare.get_collection("outbox", write_concern=majority)
        self._smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port, start_tls=False)

    async def start(self) -> int:
        """Connect everything; returns the port requests are taken on."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
        await admin.start()
        await admin.create_topics([NewTopic(name, 1, 1) for name in (WANTED, COMPOSED, OUTBOUND)])
        await admin.close()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka, acks="all", enable_idempotence=True, linger_ms=0
        )
        await self._producer.start()
        await self._smtp.connect()
        self._hops = [
            asyncio.create_task(self._hop(WANTED, self._compose)),
            asyncio.create_task(self._hop(COMPOSED, self._submit)),
        ]
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.split(b":")[1]))
                await self._accept(head.split(b" ", 2)[1].strip(b"/").decode())
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _accept(self, message_id: str) -> None:
        await self._taken.insert_one({"_id": message_id, "text": TEXT})
        await self._producer.send(WANTED, message_id.encode())

    async def _hop(self, topic: str, work: Any) -> None:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self._kafka, auto_offset_reset="earliest")
        await consumer.start()
        async for record in consumer:
            await work(record.value.decode())

    async def _compose(self, message_id: str) -> None:
        await self._producer.send_and_wait(COMPOSED, message_id.encode())

    async def _submit(self, message_id: str) -> None:
        await self._outbox.insert_one({"_id": message_id, "status": "queued", "text": TEXT})
        queued = {"_id": message_id, "status": "queued"}
        await self._outbox.find_one_and_update(queued, {"$set": {"status": "committed"}})
        letter = f"Subject: bare\r\nMessage-ID: <{message_id}@bare.test>\r\n\r\n{TEXT}"
        await self._smtp.sendmail("a@sender.test", ["b@sink.test"], letter)
        await self._outbox.update_one({"_id": message_id}, {"$set": {"status": "sent"}})
        await self._producer.send_and_wait(OUTBOUND, message_id.encode())


async def main(kafka: str, mongo: str, smtp_port: int) -> None:
    """Serve until killed."""
    bare = Bare(kafka, mongo, smtp_port)
    print(await bare.start(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
