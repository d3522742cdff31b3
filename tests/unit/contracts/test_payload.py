"""Models of fields that were checked before are the models that a check makes; what breaks a header breaks a list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.conversation import Correspondent
from contracts.message import MessageComposed, SendRequested
from contracts.payload import trusted

EXAMPLE = Path(__file__).parents[3] / "contracts" / "examples" / "malote.composed.v1" / "MessageComposed.json"


@pytest.fixture
def composed() -> MessageComposed:
    return MessageComposed.model_validate(json.loads(EXAMPLE.read_text())["value"])


def test_trusted_fields_make_the_same_model(composed: MessageComposed) -> None:
    made = trusted(MessageComposed, dict(composed.__dict__))
    assert made == composed
    assert made.model_dump_json() == composed.model_dump_json()
    assert made.model_copy(update={"version": 2}).version == 2
    assert (made.key(), made.identity()) == (composed.key(), composed.identity())


def test_trusted_takes_every_field_and_no_other() -> None:
    with pytest.raises(AssertionError, match="Correspondent"):
        trusted(Correspondent, {"address": "a@b.test"})


@pytest.mark.parametrize("broken", ["<a@b>\r\nBcc: x@y.test", "<a\n@b>", "<a\0@b>"])
def test_no_reference_breaks_out_of_its_header(composed: MessageComposed, broken: str) -> None:
    said = composed.model_dump(mode="json")
    assert SendRequested.model_validate({**said, "references": ["<a@b>", "<c@d>"]}).references == ("<a@b>", "<c@d>")
    with pytest.raises(ValidationError, match="references"):
        SendRequested.model_validate({**said, "references": ["<a@b>", broken, "<c@d>"]})
