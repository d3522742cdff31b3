"""No Ryuk where no registry is reached: the containers of a run that was killed go when the next one starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.infra import Options, backend_name, open_infra

pytestmark = pytest.mark.skipif(backend_name() != "containers", reason="the containers backend alone leaves any")

KILLED = """
import asyncio, os, pathlib, signal, sys
from deploy.local.infra import Options, open_infra
asyncio.run(open_infra(Options(pathlib.Path(sys.argv[1]), parts=("mongo",))).start())
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_a_killed_run_is_swept_by_the_next(tmp_path: Path) -> None:
    from deploy.local.infra import engine

    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "killed")])
    assert killed.wait(60) == -9
    client = engine.connect()

    def left() -> int:
        """How many containers the killed process still has."""
        all_of_ours = client.containers.list(all=True, filters={"label": "malote.runner"}, ignore_removed=True)
        return sum(c.labels["malote.runner"].startswith(f"{killed.pid}@") for c in all_of_ours)

    infra = open_infra(Options(tmp_path / "next", parts=("mail",)))
    try:
        assert left() == 1
        await infra.start()
        assert left() == 0
    finally:
        await infra.stop()
        client.close()


async def test_a_volume_goes_with_its_folder(tmp_path: Path) -> None:
    from deploy.local.infra import engine

    client = engine.connect()
    gone, kept = tmp_path / "gone", tmp_path / "kept"
    kept.touch()
    names = [engine.volume(client, f"malote-test-{path.name}", path) for path in (gone, kept)]
    try:
        engine.sweep(client)
        assert [v.name for v in client.volumes.list() if v.name in names] == ["malote-test-kept"]
    finally:
        kept.unlink()
        engine.sweep(client)
        client.close()
