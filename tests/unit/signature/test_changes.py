"""Signatures and switches: set, refused, repeated, removed with their channel."""

from __future__ import annotations

import pytest

from contracts.topics import CHANNELS, OPERATORS, TENANTS
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import subject
from tests.unit.signature.desk import Desk, new_id


async def test_a_signature_is_set_and_told() -> None:
    desk = await Desk().opened()
    request_id = await desk.signed(text="Ana", by=desk.ana, expected=0)
    (told,) = desk.signatures.owed
    assert (told.data.version, told.data.request_id, told.data.operator_id) == (1, request_id, desk.ana)
    assert told.data.template.text == "Ana"
    assert (told.data.changed_by, told.data.changed_at) == ("admin", desk.clock.now())
    assert told.subject == subject(desk.channel_id, desk.ana)
    await desk.signed(html="<b>equipe</b>")
    assert desk.signatures.owed[1].subject == subject(desk.channel_id, None)


async def test_the_switches() -> None:
    desk = await Desk().opened()
    await desk.switched(sign=True, default=False, expected=0)
    await desk.switched(sign=False, default=False, expected=1)
    first, second = (owed.data for owed in desk.signatures.owed)
    assert (first.version, first.operators_sign, first.default_enabled) == (1, True, False)
    assert (second.version, second.operators_sign) == (2, False)
    await desk.switched(expected=1)
    assert (desk.refusal().code, desk.refusal().current_version) == ("version_mismatch", 2)


async def test_against_another_version() -> None:
    desk = await Desk().opened()
    await desk.signed(text="Ana", by=desk.ana, expected=0)
    await desk.signed(text="Eva", by=desk.ana, expected=0)
    assert (desk.refusal().code, desk.refusal().current_version) == ("version_mismatch", 1)
    assert len(desk.signatures.owed) == 1


async def test_a_broken_template_is_refused_with_its_line() -> None:
    desk = await Desk().opened()
    await desk.signed(html="broken", by=desk.ana)
    (error,) = desk.refusal().errors
    assert (desk.refusal().code, error.field, error.code) == ("invalid", "template.html", "syntax")
    assert error.detail == "Line 3: Close it."
    assert not desk.signatures.owed


async def test_images_from_the_web_are_refused() -> None:
    desk = await Desk().opened()
    await desk.signed(html="<img src=http://x>", by=desk.ana)
    assert desk.refusal().errors[0].code == "remote_image"


@pytest.mark.parametrize("removed", [True, False])
async def test_without_a_channel_nothing_is_set(removed: bool) -> None:
    desk = Desk()
    if removed:
        await desk.copies.channel(desk.event(desk.channel(2, removed=True)))
    await desk.signed(text="Ana")
    assert desk.refusal().code == "not_found"


async def test_a_repeated_wish_repeats_its_answer_and_changes_nothing() -> None:
    desk = await Desk().opened()
    wish = desk.event(desk.wish(text="Ana", by=desk.ana, expected=0))
    await desk.sign.handle(wish)
    await desk.sign.handle(wish)
    assert desk.publisher.published == desk.signatures.owed
    bad = desk.event(desk.wish(text="Eva", by=desk.ana, expected=0))
    await desk.sign.handle(bad)
    await desk.sign.handle(bad)
    assert desk.publisher.published[1:] == desk.rejections.owed
    assert len(desk.signatures.owed) == 1


async def test_a_miss_reads_and_decides_again() -> None:
    desk = await Desk().opened()
    desk.signatures.misses = 4
    await desk.signed(text="Ana")
    assert len(desk.signatures.owed) == 1
    desk.signatures.misses = 5
    with pytest.raises(Unavailable):
        await desk.switched(sign=False)


async def test_the_last_good_version_survives_an_explicit_none() -> None:
    desk = await Desk().opened()
    for mode, text in (("text", "um"), ("none", ""), ("text", "tres")):
        await desk.signed(text=text, by=desk.ana, mode=mode)
    stored = await desk.signatures.read(desk.tenant, desk.channel_id, desk.ana)
    assert stored is not None
    assert stored.previous is not None
    assert (stored.previous.version, stored.previous.template.text) == (1, "um")


async def test_a_removed_channel_takes_its_signatures_along() -> None:
    desk = await Desk().opened()
    other = Desk(tenant=desk.tenant, signatures=desk.signatures)
    await other.opened()
    await other.signed(text="fica")
    await desk.signed(text="Ana", by=desk.ana)
    await desk.signed(text="equipe")
    await desk.switched()
    stale = desk.signatures.owed[1]
    await desk.copies.channel(desk.event(desk.channel(2, removed=True)))
    gone = [f"{desk.channel_id}/{what}" for what in ("default", f"operator/{desk.ana}", "policy")]
    assert [subject for _, _, subject in desk.publisher.forgotten] == gone
    assert await desk.signatures.subjects(desk.tenant, other.channel_id) == [f"{other.channel_id}/default"]
    await desk.watch.signature(stale)  # published again by a second relay, after the null
    assert desk.publisher.forgotten[3:] == [("malote.signatures.v1", desk.tenant, stale.subject)]


async def test_a_stale_record_is_followed_by_the_current_state() -> None:
    desk = await Desk().opened()
    await desk.signed(text="um")
    await desk.signed(text="dois")
    await desk.switched(sign=False)
    await desk.switched(sign=True)
    old, new, off, on = desk.signatures.owed
    await desk.watch.signature(new)
    await desk.watch.policy(on)
    assert not desk.publisher.published
    await desk.watch.signature(old)
    await desk.watch.policy(off)
    assert desk.publisher.published == [new, on]


async def test_copies_are_forgotten_with_their_records() -> None:
    desk = await Desk().opened()
    await desk.signed(text="um")
    for topic, name in ((CHANNELS, desk.channel_id), (OPERATORS, desk.ana), (TENANTS, "tenant")):
        await desk.copies.forget(topic, desk.tenant, name)
    assert [desk.channels.held, desk.operators.held, desk.tenants.held, desk.signatures.stored] == [{}] * 4
    await desk.copies.forget(CHANNELS, desk.tenant, new_id())
