"""What every refusal looks like: problem+json that says what to change."""

from __future__ import annotations

import httpx

from tests.builders import Json


def problem(answer: httpx.Response, status: int, code: str | None = None, field: str | None = None) -> Json:
    """The answer as a problem (RFC 9457) that says what to change; raises AssertionError where it is none."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:600]}"
    assert answer.headers["content-type"] == "application/problem+json"
    said: Json = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert len(said["detail"]) > 10
    assert code in (None, said["code"]), said
    if field is not None:
        named = {one["field"]: one["detail"] for one in said["errors"]}
        assert any(name == field or name.startswith(f"{field}.") for name in named), said
        assert all(named.values()), said
    return said
