"""A real Dovecot in a folder of the test's own: IMAP, IMAPS with a chain of three certificates, LMTP, many users.

    async with Dovecot() as server:
        await server.add_users(["a@mail.test"])
        await server.deliver("a@mail.test", octets)
        await server.kill9(); await server.start()
        server.renumber("a@mail.test")

Needs root (each hundred users is a system user of its own: inotify counts by user) and Debian's packages dovecot-imapd
and dovecot-lmtpd; `installed()` says whether they are there. The folder is not pytest's: those are closed to others.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from deploy.local import children, sockets
from deploy.local.children import Child
from tests.infra.lmtp import Lmtp

PASSWORD = "secret"
NAME = "localhost"
_FIRST_UID = 60_000
_USERS_EACH = 100
_LOOKS_S = 1.1
_TEMPLATE = Path(__file__).with_name("dovecot.conf")


def installed() -> bool:
    """Whether Dovecot can be started here."""
    return os.geteuid() == 0 and shutil.which("dovecot") is not None and Path("/usr/lib/dovecot/lmtp").exists()


class Dovecot:
    """One server; ports stay the same over restarts. ``ca_file`` is what a client must trust."""

    def __init__(self, key_type: trustme.KeyType = trustme.KeyType.RSA) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.folder.chmod(0o711)
        self.imap, self.imaps, self.lmtp = (sockets.free_port() for _ in range(3))
        self.ca_file = self.folder / "ca.pem"
        self._users: dict[str, tuple[str, int]] = {}
        self._child: Child | None = None
        self._laid = 0
        self._lmtp: list[Lmtp] = []
        self._write(key_type)

    def _write(self, key_type: trustme.KeyType) -> None:
        authority = trustme.CA(key_type=key_type)
        authority.cert_pem.write_to_path(str(self.ca_file))
        below = authority.create_child_ca(key_type=key_type).create_child_ca(key_type=key_type)
        certificate = below.issue_cert(NAME, "127.0.0.1", key_type=key_type)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "server.pem"))
        text = _TEMPLATE.read_text()
        for name, value in {"DIR": self.folder, "IMAP": self.imap, "IMAPS": self.imaps, "LMTP": self.lmtp}.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "dovecot.conf").write_text(text)
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o755)
        self._write_users()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The master's process id, its group's too."""
        assert self._child is not None
        return self._child.pid

    async def start(self) -> None:
        """Start, or start again; returns when all ports answer. Raises RuntimeError with the end of the log."""
        command = ["dovecot", "-c", str(self.folder / "dovecot.conf"), "-F"]
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)
        child = self._child = children.spawn("dovecot", command, self.folder / "out.log")
        for port in (self.imap, self.imaps, self.lmtp):
            if not await sockets.until_answers(port, 20, lambda: child.exit_code is None):
                raise RuntimeError(f"Dovecot does not start:\n{child.tail()}\n{self.log()}")

    async def stop(self) -> None:
        """SIGTERM, and the end of everything it started."""
        await self._hang_up()
        if self._child is not None:
            await children.stop(self._child, 5)

    async def kill9(self) -> None:
        """SIGKILL for the server and all its processes.

        A lock that one of them held on a mailbox is taken away: Dovecot itself would wait two minutes before it
        believes that nobody holds it, and say nothing of new mail meanwhile.
        """
        await self._hang_up()
        if self._child is not None:
            await children.kill(self._child)
        for lock in (self.folder / "mail").glob("*/Maildir/*.lock"):
            lock.unlink(missing_ok=True)

    async def add_users(self, names: Iterable[str], password: str = PASSWORD) -> None:
        """Users that can log in and be delivered to; known ones get this password. Dovecot looks once a second."""
        for name in names:
            _, uid = self._users.get(name, ("", _FIRST_UID + len(self._users) // _USERS_EACH))
            self._users[name] = (password, uid)
            home = self.home(name)
            if not home.exists():
                home.mkdir()
                os.chown(home, uid, uid)
        self._write_users()
        if self._child is not None:
            await asyncio.sleep(_LOOKS_S)

    def home(self, name: str) -> Path:
        """Where a user's mail lies."""
        return self.folder / "mail" / name

    async def deliver(self, to: str, octets: bytes) -> bool:
        """Hand a mail to LMTP; False where it is refused. It is stored when this returns. Raises OSError."""
        client = self._lmtp.pop() if self._lmtp else await Lmtp.connect(self.lmtp)
        taken = await client.deliver(to, octets)
        self._lmtp.append(client)
        return taken

    def lay(self, to: str, mails: Iterable[bytes]) -> Callable[[], None]:
        """Write mails beside a user's INBOX; the function returned puts them all into it, in no time."""
        folder, (_, uid) = self.home(to) / "Maildir", self._users[to]
        for name in ("", "tmp", "new", "cur"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, uid, uid)
        names = []
        for octets in mails:
            self._laid += 1
            names.append(f"{int(time.time())}.M{self._laid:09d}P{os.getpid()}.test")
            (folder / "tmp" / names[-1]).write_bytes(octets)
            os.chown(folder / "tmp" / names[-1], uid, uid)

        def put() -> None:
            for name in names:
                os.rename(folder / "tmp" / name, folder / "new" / name)

        return put

    def renumber(self, name: str) -> None:
        """Have INBOX numbered anew, with another UIDVALIDITY; open sessions are ended."""
        for pattern in ("dovecot-uidlist*", "dovecot.index*"):
            for file in (self.home(name) / "Maildir").glob(pattern):
                file.unlink(missing_ok=True)
        self.kick(name)

    def kick(self, name: str = "*") -> None:
        """End the sessions of a user, of all by default."""
        command = ["doveadm", "-c", str(self.folder / "dovecot.conf"), "kick", name]
        subprocess.run(command, capture_output=True, check=False, timeout=20)

    def log(self, lines: int = 12) -> str:
        """The end of the server's log."""
        path = self.folder / "dovecot.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    async def _hang_up(self) -> None:
        for client in self._lmtp:
            await client.close()
        self._lmtp = []

    def _write_users(self) -> None:
        lines = [
            f"{name}:{{PLAIN}}{password}:{uid}:{uid}::{self.home(name)}::"
            for name, (password, uid) in self._users.items()
        ]
        fresh = self.folder / "users.new"
        fresh.write_text("\n".join(lines) + "\n")
        fresh.chmod(0o644)
        fresh.rename(self.folder / "users")
