"""The probes over real HTTP, served in this loop."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.applications import Starlette

from services.kit import metrics
from services.kit.http_server import routes
from services.kit.http_server import serve as serve_application
from services.kit.probes import OLDEST_BEAT_S, Heartbeat, Readiness, answers, listen, serve


async def test_readiness_needs_every_named_check() -> None:
    readiness = Readiness("kafka", "mongo")
    assert not readiness.ready
    readiness.set("kafka", True)
    readiness.set("mongo", False, "no primary")
    assert readiness.report() == {
        "ready": False,
        "checks": {"kafka": {"ok": True, "why": ""}, "mongo": {"ok": False, "why": "no primary"}},
    }
    readiness.set("mongo", True)
    assert readiness.ready


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in an application"])
async def test_the_three_routes_answer_and_the_server_ends_when_cancelled(alone: bool) -> None:
    moment = 0.0
    readiness, heartbeat = Readiness("kafka"), Heartbeat(lambda: moment)
    sock = listen("127.0.0.1", 0)
    handler = signal.getsignal(signal.SIGTERM)
    if alone:
        serving = asyncio.create_task(serve(answers(readiness, heartbeat), "127.0.0.1", 0, sock=sock))
    else:
        application = Starlette(routes=routes(readiness, heartbeat))
        serving = asyncio.create_task(serve_application(application, "127.0.0.1", 0, sock=sock))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", trust_env=False) as client:
        assert (await client.get("/livez")).json() == {"alive": True, "beat_age_s": 0.0}
        assert (await client.get("/readyz")).status_code == 503
        readiness.set("kafka", True)
        assert (await client.get("/readyz")).status_code == 200
        moment = OLDEST_BEAT_S
        assert (await client.get("/livez")).status_code == 503
        figures = await client.get("/metrics")
        assert figures.headers["content-type"].startswith("text/plain")
        assert "malote_records_total" in figures.text
        assert (await client.head("/livez")).text == ""
        assert (await client.get("/else")).status_code == 404
        assert (await client.post("/livez")).status_code == 405
    assert signal.getsignal(signal.SIGTERM) is handler
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert sock.fileno() == -1


async def test_the_heartbeat_beats() -> None:
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0.05)
    assert heartbeat.age < 0.5
    beating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beating


async def test_a_taken_port_is_named_and_does_not_end_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            await serve(answers(Readiness(), Heartbeat()), "127.0.0.1", port)
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            await serve_application(Starlette(), "127.0.0.1", port)


@pytest.mark.parametrize("label", ["tenant", "tenant_id", "channel_id", "address", "user_name", "host"])
def test_metrics_refuse_labels_of_individuals(label: str) -> None:
    for make in (metrics.counter, metrics.gauge, metrics.histogram):
        with pytest.raises(ValueError, match="individuals"):
            make("refused", "never made", [label])
    assert b"malote_refused" not in metrics.render()


def test_metrics_carry_the_process() -> None:
    metrics.records.labels("t", "handled").inc()
    rendered = metrics.render()
    assert b'malote_records_total{outcome="handled",topic="t"} 1.0' in rendered
    assert b"process_resident_memory_bytes" in rendered
