"""JSON logs on standard output, one object a line, with the ids of what is being worked on.

`configure` once in the composition root; then `log.warning("lane_paused", reason=…)`: the event is a fixed word,
everything else a field. Addresses go through `hashed`. The standard library's logging (FastStream, aiokafka, uvicorn)
takes the same way and the same scrubbing (`log_scrub`).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar, Token
from typing import Any, Final

import structlog

from services.kit.log_scrub import describe, mask, scrub_fields, without_messages

__all__ = ["bound", "configure", "get_logger", "hashed", "log"]

_NOISY = {
    "asyncio": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "pymongo": logging.WARNING,
    "aiokafka": logging.WARNING,
}
_address_key = b"malote"
_ids: Final[ContextVar[Mapping[str, object]]] = ContextVar("log_ids", default={})  # noqa: B039 - never changed


def get_logger() -> structlog.stdlib.BoundLogger:
    """A logger; it finds its configuration when it first speaks, so modules may hold one before `configure`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger


log = get_logger()


def configure(service: str, instance: str, level: str = "INFO", *, address_key: bytes = b"malote") -> None:
    """Send this process's logs to standard output as JSON; `address_key` keys `hashed` (one key for all services)."""
    global _address_key
    _address_key = address_key
    wanted = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_with_ids, _Stamp(service, instance), _scrub, _render],
        wrapper_class=structlog.make_filtering_bound_logger(wanted),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=wanted, force=True)
    logging.captureWarnings(True)
    _take_over("faststream")
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(least, wanted))


def _take_over(name: str) -> None:
    """A library that gave its logger a handler of its own would write past us, coloured and with values."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True


class bound:
    """Every line written inside carries these ids (`tenant_id`, `channel_id`, `message_id`, `event_id`).

    One variable for all of them: structlog's own takes one each, and this is on the path of every event.
    """

    __slots__ = ("_before", "_new")

    def __init__(self, **ids: object) -> None:
        self._new = ids

    def __enter__(self) -> None:
        self._before: Token[Mapping[str, object]] = _ids.set({**_ids.get(), **self._new})

    def __exit__(self, *_: object) -> None:
        _ids.reset(self._before)


def _with_ids(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**{name: str(value) for name, value in _ids.get().items()}, **fields}


def hashed(address: str) -> str:
    """A stable stand-in for an address or user name: `a:` and 12 hex digits of a keyed SHA-256, letter case ignored."""
    digest = hmac.new(_address_key, address.strip().casefold().encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"a:{digest.hexdigest()[:12]}"


class _Stamp:
    """Adds time, level, service and instance."""

    def __init__(self, service: str, instance: str) -> None:
        self._who = {"service": service, "instance": instance}
        self._time = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def __call__(self, logger: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        level = "error" if method == "exception" else method
        return self._time(logger, method, {"level": level, **self._who, **fields})


def _scrub(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = _error(fields.pop("exc_info", None))
    fields.pop("stack_info", None)
    clean = scrub_fields({key: _named(value) for key, value in fields.items()})
    if error is not None:
        clean["event"] = mask(without_messages(str(fields.get("event", "")), error))
        clean["exception"] = describe(error)
    return clean


def _error(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _named(value: object) -> object:
    return type(value).__name__ if isinstance(value, BaseException) else value


_render = structlog.processors.JSONRenderer(ensure_ascii=False)


class _ToStructlog(logging.Handler):
    """Hands a record of the standard library's logging to the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log.log(record.levelno, _message(record), logger=record.name, exc_info=record.exc_info or None)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a line was lost, without its content; the standard handler would print the arguments."""
        sys.stdout.write(f'{{"level":"error","event":"log_record_lost","line":"{record.filename}:{record.lineno}"}}\n')


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.args, tuple) and any(isinstance(item, BaseException) for item in record.args):
        record.args = tuple(_named(item) for item in record.args)
    if isinstance(record.msg, BaseException):
        return type(record.msg).__name__
    return record.getMessage()
