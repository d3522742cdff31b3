"""A taken port is named, a wrong backend refused, a wrong jar found out."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.local import sockets, tools
from deploy.local.infra import InfraError, Options, backend_name, open_infra


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind((sockets.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InfraError, match=rf"{port} \(gateway\)"):
            sockets.require_free({"gateway": port, "issuer": sockets.free_port()})


def test_a_free_port_is_given_once() -> None:
    ports = [sockets.free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert all(port < 32_768 for port in ports)


def test_an_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALOTE_INFRA", "docker")
    with pytest.raises(InfraError, match="processes, containers, external"):
        backend_name()


async def test_external_never_falls_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MALOTE_INFRA", "external")
    monkeypatch.delenv("MALOTE_KAFKA", raising=False)
    with pytest.raises(InfraError, match="MALOTE_KAFKA"):
        await open_infra(Options(tmp_path)).start()


def test_a_jar_with_another_hash_is_refused(tmp_path: Path) -> None:
    for line in tools.LOCK.read_text().splitlines():
        jar = tmp_path / line.split()[1]
        jar.parent.mkdir(parents=True, exist_ok=True)
        jar.write_bytes(b"not it")
    with pytest.raises(InfraError, match=r"kafka-clients"):
        tools.verify(tmp_path)


def test_a_jar_too_many_is_refused(tmp_path: Path) -> None:
    (tmp_path / "greenmail").mkdir()
    (tmp_path / "greenmail" / "extra.jar").touch()
    with pytest.raises(InfraError, match=r"extra\.jar"):
        tools.verify(tmp_path)
