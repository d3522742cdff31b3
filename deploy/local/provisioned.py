"""Whether a data folder holds the topics and indexes this checkout asks for: then nobody has to wait for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from deploy.local.tools import ROOT

_ASKED_FOR = ("contracts/topics.py", "services/ctl/*.py", "services/*/adapters/indexes.py")


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A note beside the data: the hash of what asks for topics and indexes, and of the broker's identity."""

    folder: Path

    def known(self) -> bool:
        """True when the last run here provisioned the very same."""
        return self._note.exists() and self._note.read_text() == self._present()

    def note(self) -> None:
        """Provisioning went well just now."""
        self._note.write_text(self._present())

    @property
    def _note(self) -> Path:
        return self.folder / "provisioned"

    def _present(self) -> str:
        asking = sorted(path for pattern in _ASKED_FOR for path in ROOT.glob(pattern))
        identity = [path for path in (self.folder / "kafka" / "log" / "meta.properties",) if path.exists()]
        return hashlib.sha256(b"".join(path.read_bytes() for path in [*asking, *identity])).hexdigest()
