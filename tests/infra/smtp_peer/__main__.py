"""Run one peer as a process: prints `{"port": …, "control_port": …, "pid": …}` when ready, goes on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import signal
import ssl
from pathlib import Path

import uvloop

from tests.infra.smtp_peer.control import listen
from tests.infra.smtp_peer.server import Peer
from tests.infra.smtp_peer.settings import Settings, Tls

PR_SET_PDEATHSIG = 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.infra.smtp_peer", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--record", type=Path, help="history as JSON lines; raw content in FILE.raw")
    parser.add_argument("--instant", action="store_true", help="the sink: least CPU, no rules")
    parser.add_argument("--delay-final", type=float, default=0.0, help="seconds before the reply to the final dot")
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--tls", type=Tls, choices=list(Tls), default=Tls.NONE)
    parser.add_argument("--certificate", type=Path, help="PEM with key and chain")
    parser.add_argument("--settings", type=json.loads, default={}, help="any setting by name, as a JSON object")
    return parser.parse_args()


def _settings(asked: argparse.Namespace) -> Settings:
    plain = Settings(tls=asked.tls, instant=asked.instant, pipelining=not asked.no_pipelining)
    if asked.delay_final:
        plain = plain.changed({"delays": {"final": asked.delay_final}})
    return plain.changed(asked.settings)


def _context(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def _run(asked: argparse.Namespace) -> None:
    context = _context(asked.certificate)
    peer = await Peer.start(_settings(asked), port=asked.port, record=asked.record, context=context)
    control = await listen(peer, asked.control_port)
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    ports = {"port": peer.port, "control_port": control.sockets[0].getsockname()[1], "pid": os.getpid()}
    print(json.dumps(ports), flush=True)
    await ended.wait()
    control.close()
    await peer.stop()


def main() -> None:
    """Serve until told to stop; dies with the process that started it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(_arguments()))


if __name__ == "__main__":
    main()
