"""What must never be written is not written, whatever way it tried to get into the log."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
import structlog

from services.kit.log_scrub import mask, scrub
from services.kit.logs import bound, configure, hashed, log

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    with warnings.catch_warnings():
        configure("outbox", "outbox-0", "DEBUG")
        yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_who_and_when(lines: Lines) -> None:
    log.warning("lane_paused", reason="auth", seconds=3.5)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "lane_paused",
        "level": "warning",
        "service": "outbox",
        "instance": "outbox-0",
        "reason": "auth",
        "seconds": 3.5,
    }


def test_bound_ids_are_on_every_line_inside_and_on_none_after(lines: Lines) -> None:
    with bound(tenant_id=UUID(int=1), channel_id="c1"):
        log.info("inside")
        logging.getLogger("aiokafka.consumer").error("too")
    log.info("outside")
    inside, too, outside = lines()
    assert inside["tenant_id"] == too["tenant_id"] == "00000000-0000-0000-0000-000000000001"
    assert "tenant_id" not in outside


async def test_ids_do_not_leak_between_tasks(lines: Lines) -> None:
    async def work(name: str) -> None:
        with bound(message_id=name):
            await asyncio.sleep(0)
            log.info("work", name=name)

    await asyncio.gather(work("m1"), work("m2"))
    assert all(line["message_id"] == line["name"] for line in lines())


@pytest.mark.parametrize(
    "field",
    ["password", "Secret", "AUTHORIZATION", "body", "subject", "text", "html", "to", "address", "set-cookie", "sealed"],
)
def test_forbidden_fields_are_dropped_at_any_depth(lines: Lines, field: str) -> None:
    log.info("x", **{field: "LEAK"})
    log.info("x", request={"deep": [{"deeper": {field: "LEAK"}, "kept": 1}]})
    shallow, deep = lines()
    assert field not in shallow
    assert deep["request"] == {"deep": [{"deeper": {}, "kept": 1}]}


@pytest.mark.parametrize(
    "text",
    [
        "joe@example.org",
        "<joe@example.org>",
        "550 5.1.1 <joe@example.org>: no such user",
        "rcpt to:joe@example.org;x",
        '"joe doe"@example.org',
        "joe+tag@sub.example.org,ann@example.org",
        "jürgen@bücher.example",
        "joe@[127.0.0.1]",
        "joe＠example.org",
        "mailto:joe%40example.org",
        "joe%2Bdoe%40example.org",
        "mongodb://joe:hunter2@db:27017/?x",
        "Authorization: Bearer joe.hunter2.token",
        "AUTH PLAIN AGpvZUBleGFtcGxlLm9yZwBodW50ZXIy",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJqb2UifQ.hunter2",
    ],
)
def test_addresses_and_tokens_are_masked_in_any_text(lines: Lines, text: str) -> None:
    log.info("smtp_reply", reply=text, many=[text, {"k": text}], by={text: 1})
    log.info(text)
    logging.getLogger("x").warning("said %s", text)
    for line in lines():
        for leak in ("joe", "jürgen", "hunter2", "AGpvZ", "example.org"):
            assert leak not in json.dumps(line, ensure_ascii=False), line


@pytest.mark.parametrize(
    "text", ["5.1.1 user unknown", "100% of 40% done", "at 12:30", "lane-3/tenant", "a basic idea"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask(text) == text


def test_an_address_across_the_cut_is_masked() -> None:
    for start in range(1_900, 2_020, 7):
        assert "joe" not in mask("x" * start + " joe.joe.joe@example.org")


@pytest.mark.parametrize(
    "text", ["%" * 100_000, '"' * 100_000, "a" * 100_000 + "@", "eyJ" * 50_000, "bearer " * 20_000]
)
def test_hostile_text_costs_no_time(text: str) -> None:
    start = time.perf_counter()
    mask(text)
    assert time.perf_counter() - start < 0.1


def test_an_exception_is_types_and_frames_and_no_message(lines: Lines) -> None:
    def inner(password: str) -> None:
        raise ValueError(f"LEAK {password} joe@example.org")

    def outer() -> None:
        try:
            inner("hunter2")
        except ValueError as error:
            raise RuntimeError("LEAK too") from error

    for write in (log.exception, lambda event: log.error(event, exc_info=True), logging.getLogger("x").exception):
        try:
            outer()
        except RuntimeError:
            write("failed")
    for line in lines():
        assert [link["type"] for link in line["exception"]] == ["RuntimeError", "ValueError"]
        assert line["exception"][0]["frames"][-1].endswith(" outer")
        assert line["exception"][1]["frames"][-1].endswith(" inner")
        assert line["level"] == "error"
        assert not [leak for leak in ("LEAK", "hunter2", "joe") if leak in json.dumps(line)]


def test_an_exception_quoted_in_a_message_is_replaced_by_its_type(lines: Lines) -> None:
    try:
        raise ValueError("LEAK of input")
    except ValueError as error:
        logging.getLogger("faststream").error(f"{type(error).__name__}: {error}", exc_info=error)
        logging.getLogger("x").error("retry after %s", error)
        logging.getLogger("x").error(error)
        log.error("x", error=error)
    quoted, argument, alone, field = lines()
    assert quoted["event"] == "ValueError: ValueError"
    assert argument["event"] == "retry after ValueError"
    assert alone["event"] == field["error"] == "ValueError"


async def test_an_exception_nobody_took_is_not_quoted(lines: Lines) -> None:
    async def broken() -> None:
        raise ValueError("LEAK")

    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    del task
    text = json.dumps(lines())
    assert "never retrieved" in text
    assert "LEAK" not in text


def test_unknown_objects_are_named_by_type_alone(lines: Lines) -> None:
    class Message:
        def __repr__(self) -> str:
            return "LEAK"

    class Status(Enum):
        SENT = "sent"

    log.info("x", message=Message(), raw_bytes=b"LEAK", kind=Message, status=Status.SENT, many={Status.SENT})
    [line] = lines()
    assert (line["message"], line["raw_bytes"], line["kind"]) == ("<Message>", "<bytes>", "Message")
    assert (line["status"], line["many"]) == ("sent", ["sent"])


def test_endless_structures_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "<list>" in json.dumps(scrub(loop))
    assert len(str(scrub(list(range(10_000))))) < 1_000


def test_a_broken_record_is_reported_without_its_content(lines: Lines) -> None:
    record = logging.LogRecord("x", logging.ERROR, "/a/b/client.py", 7, "two %s %s", ("LEAK",), None)
    next(handler for handler in logging.getLogger().handlers if "Structlog" in type(handler).__name__).handle(record)
    [line] = lines()
    assert line["event"] == "log_record_lost"
    assert "LEAK" not in json.dumps(line)


def test_warnings_come_along(lines: Lines) -> None:
    warnings.simplefilter("always")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    [line] = lines()
    assert line["logger"] == "py.warnings"


def test_levels_are_kept(lines: Lines) -> None:
    configure("outbox", "outbox-0", "WARNING")
    log.info("no")
    logging.getLogger("x").info("no")
    log.warning("yes")
    assert [line["event"] for line in lines()] == ["yes"]


def test_hashes_are_stable_keyed_and_blind_to_case() -> None:
    configure("a", "a-0", address_key=b"one")
    first = hashed(" Joe@Example.org")
    assert first == hashed("joe@example.org") != hashed("ann@example.org")
    assert mask(first) == first
    configure("a", "a-0", address_key=b"two")
    assert hashed("joe@example.org") != first
    structlog.reset_defaults()
