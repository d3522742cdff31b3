"""Who signs: the whole table."""

from __future__ import annotations

import itertools

import pytest

from services.signature.domain.resolving import resolve
from services.signature.domain.signature import Change, ChannelSignatures, Signature, Switches, Template
from tests.unit.signature.desk import NOON

KINDS = {"absent": None, "empty": Template(text="  \n"), "none": Template("none", text="x"), "set": Template(text="x")}


def _signature(operator: str | None, kind: str) -> dict[str | None, Signature]:
    template = KINDS[kind]
    return {operator: Signature(operator, 1, template, Change("r", "b", NOON))} if template else {}


def _expected(sign: bool, default_on: bool, own: str, default: str) -> tuple[bool, str]:
    if not sign:
        return False, "operators_do_not_sign"
    if own == "none":
        return False, "no_signature"
    if own == "set":
        return True, "own"
    return (True, "default") if default_on and default == "set" else (False, "none")


@pytest.mark.parametrize(
    ("sign", "default_on", "own", "default"), list(itertools.product([True, False], [True, False], KINDS, KINDS))
)
def test_every_row(sign: bool, default_on: bool, own: str, default: str) -> None:
    stored = ChannelSignatures(Switches(1, sign, default_on), _signature("ana", own) | _signature(None, default))
    choice = resolve(stored, "ana")
    assert (choice.signature is not None, choice.why) == _expected(sign, default_on, own, default)
    nobody = resolve(stored, None)
    left = resolve(stored, "ana", active=False)
    assert nobody == left
    assert (nobody.signature is not None, nobody.why) == _expected(sign, default_on, "absent", default)


def test_with_nothing_stored_the_switches_are_on() -> None:
    assert resolve(ChannelSignatures(), "ana").why == "none"
    assert resolve(ChannelSignatures(by_operator=_signature(None, "set")), "ana").why == "default"
