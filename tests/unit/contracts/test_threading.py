"""Threading tokens: nobody can make one, nobody can carry one over to another tenant or channel."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from contracts.threading import Keyring, Token, mint, read

TENANT, CHANNEL, MESSAGE, CONVERSATION, OTHER = (str(uuid4()) for _ in range(5))
RING = Keyring("k2", {"k1": os.urandom(32), "k2": os.urandom(32)})


def minted(ring: Keyring = RING) -> str:
    """One Message-ID of ours."""
    return mint(
        ring,
        tenant=TENANT,
        channel_id=CHANNEL,
        message_id=MESSAGE,
        conversation_id=CONVERSATION,
        domain="padaria.example",
    )


@pytest.mark.parametrize("written", [minted(), minted()[1:-1], minted().upper(), f"  {minted()} "])
def test_a_token_is_read_back_however_it_comes_home(written: str) -> None:
    assert read(RING, written, tenant=TENANT, channel_id=CHANNEL) == Token(MESSAGE, CONVERSATION)


def test_an_old_key_verifies_until_it_is_revoked() -> None:
    old = minted(Keyring("k1", RING.keys))
    assert read(RING, old, tenant=TENANT, channel_id=CHANNEL) == Token(MESSAGE, CONVERSATION)
    revoked = Keyring("k2", {"k2": RING.keys["k2"]})
    assert read(revoked, old, tenant=TENANT, channel_id=CHANNEL) is None


def test_it_proves_nothing_for_another_tenant_or_channel() -> None:
    assert read(RING, minted(), tenant=OTHER, channel_id=CHANNEL) is None
    assert read(RING, minted(), tenant=TENANT, channel_id=OTHER) is None


def test_a_changed_letter_anywhere_breaks_it() -> None:
    token = minted()
    end = token.index("@")
    for place in range(1, end):
        if token[place] == ".":
            continue
        forged = token[:place] + ("b" if token[place] != "b" else "c") + token[place + 1 :]
        got = read(RING, forged, tenant=TENANT, channel_id=CHANNEL)
        # The last letter of 16 octets in base32 has two spare bits: another spelling of the same id is the same id.
        assert got is None or got == Token(MESSAGE, CONVERSATION)


@pytest.mark.parametrize("text", ["", "<>", "<a@b>", "<" * 10_000, minted()[:-30], minted().replace(".", "")])
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert read(RING, text, tenant=TENANT, channel_id=CHANNEL) is None


def test_the_keys_never_show() -> None:
    assert "keys" not in repr(RING)
