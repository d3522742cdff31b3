"""A key's partition is what every Kafka client in the world would choose."""

from __future__ import annotations

import os

from aiokafka.partitioner import murmur2

from services.kit import publisher


def test_the_hash_is_kafka_s() -> None:
    for length in (*range(40), 73, 200, 1001):
        for _ in range(20):
            key = os.urandom(length)
            assert publisher._hashed(key) == murmur2(key) & 0x7FFFFFFF
