"""The house: the same entries in every service, small files, small functions, honest names, docstrings."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("config", "signature", "ingest", "outbox", "gateway")
FILES = {"__init__.py", "__main__.py", "app.py", "settings.py", "routes.py", "ports.py"}
FOLDERS = {"domain", "handlers", "adapters"}
EXTRA: dict[str, set[str]] = {"gateway": {"console"}}
FILE_LINES, FUNCTION_LINES = 200, 40
# An exception is a line here, with its reason.
LONG_FILES: dict[str, str] = {
    "services/gateway/ports.py": "the contract of every port stands on one page, most of it docstrings",
    "services/ingest/ports.py": "the contract of every port stands on one page, most of it docstrings",
    "services/outbox/ports.py": "the contract of every port stands on one page, most of it docstrings",
}
LONG_FUNCTIONS: dict[str, str] = {}
SEVERAL_ANSWERS = {
    "config/watch_topics.py": "one rule, a stale record is answered with the current state, for two kinds of record",
    "signature/watch_topic.py": "one rule, a stale record is answered with the current state, for two kinds of record",
    "signature/keep_copies.py": "one rule, keep the newest, for each topic that is copied",
    "signature/reject_request.py": "no use case: the ways in which the handlers of wishes refuse",
    "config/read_wish.py": "no use case: a wish in the domain's words",
}
BANNED = re.compile(r"(?:^|_)(manager|helpers?|utils?|common|base|abstract|data|info)(?:_|$)|^process_", re.I)
# DATA is the SMTP command (RFC 5321), data_received asyncio's callback, a database no data.
WORDS_OF_THE_FIELD = re.compile(
    r"database|metadata|data_(limit|margin|start|received|stage|refused)|(in|before|smtp|open)_data|^_?data$"
)


def sources() -> list[Path]:
    """Every Python file of the product."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "contracts/*.py", "services/*.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


FOUND = sources()
NAMES = [str(path.relative_to(ROOT)) for path in FOUND]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_entries(service: str) -> None:
    folder = ROOT / "services" / service
    entries = {entry.name for entry in folder.iterdir() if entry.name != "__pycache__"}
    assert entries == FILES | FOLDERS | EXTRA.get(service, set())


@pytest.mark.parametrize("service", SERVICES)
def test_one_use_case_is_one_file(service: str) -> None:
    for path in (ROOT / "services" / service / "handlers").glob("*.py"):
        if path.name in {"__init__.py", "facts.py"} or f"{service}/{path.name}" in SEVERAL_ANSWERS:
            continue
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", path.stem), f"{path.name}: verb_noun.py"
        handled = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.AsyncFunctionDef)]
        assert "handle" in handled, f"{path.name} has no handle"


@pytest.mark.parametrize("service", SERVICES)
def test_the_rules_do_not_wait(service: str) -> None:
    for path in (ROOT / "services" / service / "domain").glob("*.py"):
        waits = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]
        assert not waits, path.name


def test_no_file_is_long() -> None:
    long = {name: len(path.read_text().splitlines()) for name, path in zip(NAMES, FOUND, strict=True)}
    assert not {name: size for name, size in long.items() if size > FILE_LINES and name not in LONG_FILES}


def test_no_function_is_long() -> None:
    long = {}
    for name, path in zip(NAMES, FOUND, strict=True):
        for function in functions(parsed(path)):
            size = (function.end_lineno or 0) - function.lineno + 1
            if size > FUNCTION_LINES and f"{name}:{function.name}" not in LONG_FUNCTIONS:
                long[f"{name}:{function.name}"] = size
    assert not long


def test_names_say_what_a_thing_is() -> None:
    bad = []
    for name, path in zip(NAMES, FOUND, strict=True):
        bad += [name] if BANNED.search(path.stem) and not WORDS_OF_THE_FIELD.search(path.stem) else []
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and BANNED.search(
                snake(node.name)
            ):
                bad += [] if WORDS_OF_THE_FIELD.search(snake(node.name)) else [f"{name}:{node.name}"]
    assert not bad


def test_everything_public_says_what_it_is_for() -> None:
    silent = []
    for name, path in zip(NAMES, FOUND, strict=True):
        tree = parsed(path)
        silent += [] if ast.get_docstring(tree) or not tree.body else [name]
        for node in public(tree):
            silent += [] if ast.get_docstring(node) else [f"{name}:{node.name}"]
    assert not silent


def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text())


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def public(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes, functions and methods; a private class's methods are its own business."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (child for child in node.body if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))
                yield from (child for child in methods if not child.name.startswith("_"))


def snake(name: str) -> str:
    """CamelCase as snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_no_group_is_possessive() -> None:
    """Python before 3.11.5, Debian 12's among them, matches `(?:a|b)*+` wrongly (CPython 106052); `(?>(?:a|b)*)` is
    the same and right everywhere. A single character or set may be possessive."""
    possessive = re.compile(r"\)(?:[*+?]|\{[0-9,]+\})\+")
    found = {name for name, path in zip(NAMES, FOUND, strict=True) if possessive.search(path.read_text())}
    assert not {name for name in found if name.startswith(("services/", "contracts/"))}
