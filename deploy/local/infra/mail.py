"""The sandbox mail server: GreenMail, SMTP and IMAP with and without TLS. FINDINGS, "Mail servers".

It keeps nothing over a restart and accepts mail for anybody; users who log in are made through its REST (`add_user`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from deploy.local import sockets, tools
from deploy.local.children import Child, kill, spawn, stop
from deploy.local.infra.ports import InfraError

KEYSTORE_PASSWORD = "sandbox"
_NAMES = ("localhost", "127.0.0.1", "mail.sandbox.test")
_JVM = ("-Xmx128m", "-Xms32m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true")


@dataclass(frozen=True, slots=True)
class MailPorts:
    """One loopback port a protocol."""

    smtp: int
    smtps: int
    imap: int
    imaps: int
    api: int


@dataclass(slots=True)
class GreenMail:
    """The mail server of one folder, which holds its certificate (`ca.pem`, `server.p12`) and log.

    With `record_to` it writes the archive of its classes there instead of using that of the tools folder.
    """

    folder: Path
    ports: MailPorts
    record_to: Path | None = None
    child: Child | None = field(default=None, init=False)

    @property
    def api(self) -> str:
        """Base URL of its REST."""
        return f"http://{sockets.HOST}:{self.ports.api}"

    async def start(self) -> None:
        """Start, return when it says it is ready. Raises `InfraError` with the log's end."""
        make_certificate(self.folder)
        (jar,) = (tools.local_folder() / "greenmail").glob("*.jar")
        self.child = child = spawn(
            "mail", [tools.java(), *_JVM, *self._archive(), *self._flags(), "-jar", str(jar)], self._log
        )
        if not await sockets.until_answers(self.ports.api, 60, lambda: child.exit_code is None):
            raise InfraError(f"the mail server did not start:\n{child.tail()}")
        for port in (self.ports.smtp, self.ports.smtps, self.ports.imap, self.ports.imaps):
            await sockets.until_answers(port, 20, lambda: child.exit_code is None)

    async def stop(self) -> None:
        """SIGTERM; nothing is kept."""
        if self.child:
            await stop(self.child, 20 if self.record_to else 5)

    async def kill(self) -> None:
        """SIGKILL."""
        if self.child:
            await kill(self.child)

    @property
    def _log(self) -> Path:
        return self.folder / "greenmail.out"

    def _archive(self) -> list[str]:
        if self.record_to:
            return [f"-XX:ArchiveClassesAtExit={self.record_to}/mail.jsa"]
        known = tools.local_folder() / "kafka" / "mail.jsa"
        return [f"-XX:SharedArchiveFile={known}"] if known.exists() else []

    def _flags(self) -> list[str]:
        flags = [f"-Dgreenmail.tls.keystore.file={self.folder / 'server.p12'}"]
        flags += [f"-Dgreenmail.tls.keystore.password={KEYSTORE_PASSWORD}", "-Dgreenmail.startup.timeout=20000"]
        for protocol in ("smtp", "smtps", "imap", "imaps", "api"):
            flags.append(f"-Dgreenmail.{protocol}.hostname={sockets.HOST}")
            flags.append(f"-Dgreenmail.{protocol}.port={getattr(self.ports, protocol)}")
        return flags


def make_certificate(folder: Path) -> None:
    """Write `ca.pem` and `server.p12` once: GreenMail's own certificate carries no subject alternative name."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "server.p12").exists():
        return
    authority = trustme.CA()
    issued = authority.issue_cert(*_NAMES)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("trustme issues keys on an elliptic curve")
    chain = [x509.load_pem_x509_certificate(pem.bytes()) for pem in issued.cert_chain_pems]
    packed = pkcs12.serialize_key_and_certificates(
        b"mail",
        key,
        chain[0],
        chain[1:],
        BestAvailableEncryption(KEYSTORE_PASSWORD.encode()),
    )
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "server.p12").write_bytes(packed)


async def add_user(api: str, address: str, password: str) -> None:
    """Make a mailbox that can log in by its address; a repeat is fine. Raises httpx errors when the server is gone."""
    async with httpx.AsyncClient(base_url=api, timeout=10) as client:
        known = (await client.get("/api/user")).raise_for_status().json()
        if any(user["login"] == address for user in known):
            return
        answer = await client.post("/api/user", json={"email": address, "login": address, "password": password})
        answer.raise_for_status()
