"""A message gets the right signature, and is never lost to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts import limits
from contracts.conversation import Correspondent
from contracts.operator import OperatorChanged
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import Signature
from tests.unit.signature.desk import Desk, new_id


async def test_ones_own_signature_stands_under_the_body() -> None:
    desk = await Desk().opened()
    await desk.signed(text="{{ operator.name }}, Vendas", by=desk.ana)
    told = await desk.composed()
    assert told.text == "Bom dia!\n\n-- \nAna, Vendas\n"
    assert (told.html, told.html_ref, told.text_ref) == (None, None, None)
    assert (told.signature.id, told.signature.version, told.signature.why) == (
        f"{desk.channel_id}/operator/{desk.ana}", 1, "own",
    )  # fmt: skip
    assert told.sender == Correspondent(address="desk@example.com", name="Vendas")


async def test_the_draft_goes_on_unchanged() -> None:
    desk = await Desk().opened()
    draft = desk.message()
    await desk.compose.handle(desk.event(draft))
    told = desk.publisher.published[0]
    assert (told.tenant, told.subject, told.type) == (desk.tenant, desk.channel_id, "MessageComposed")
    kept = told.data.model_dump(exclude={"sender", "signature", "images"})
    assert kept == draft.model_dump()
    await desk.compose.handle(desk.event(draft))
    assert desk.publisher.published[1].id == told.id


async def test_without_an_own_one_the_default_signs() -> None:
    desk = await Desk().opened()
    await desk.signed(text="A equipe")
    assert (await desk.composed()).signature.why == "default"
    assert (await desk.composed(operator_id=None, operator_version=None)).text == "Bom dia!\n\n-- \nA equipe\n"


async def test_an_operator_who_left_is_signed_by_the_default() -> None:
    desk = await Desk().opened()
    await desk.signed(text="Ana", by=desk.ana)
    await desk.signed(text="A equipe")
    await desk.copies.operator(desk.event(OperatorChanged(version=2, operator_id=desk.ana, name="Ana", active=False)))
    assert (await desk.composed(operator_version=2)).signature.why == "default"


async def test_nothing_is_placed_where_nobody_signs() -> None:
    desk = await Desk().opened()
    assert (await desk.composed()).text == "Bom dia!"
    await desk.signed(text="Ana", by=desk.ana)
    await desk.switched(sign=False)
    told = await desk.composed()
    assert (told.text, told.signature.why, told.signature.id) == ("Bom dia!", "operators_do_not_sign", None)
    assert desk.renderer.calls == 1  # the trial on save alone


async def test_text_and_html_are_both_signed() -> None:
    desk = await Desk().opened()
    await desk.signed(html="<b>{{ client.name }}</b>", by=desk.ana)
    told = await desk.composed(html="<p>Oi</p><script>x</script>", text=None)
    assert told.html == "<p>Oi</p><div><br>-- <br></div><div><b>Rui</b></div>"
    assert told.text is not None
    assert told.text.endswith("\n\n-- \nRui\n")


async def test_a_broken_template_falls_back_to_the_last_good_one() -> None:
    desk = await Desk().opened()
    await desk.signed(text="Boa", by=desk.ana)
    await desk.signed(text="pior", by=desk.ana)
    key = (desk.tenant, f"{desk.channel_id}/operator/{desk.ana}")
    _break(desk, key)
    told = await desk.composed()
    assert told.text == "Bom dia!\n\n-- \nBoa\n"
    assert (told.signature.version, told.signature.why) == (1, "render_failed")


async def test_then_to_the_operators_name() -> None:
    desk = await Desk().opened()
    await desk.signed(text="pior", by=desk.ana)
    _break(desk, (desk.tenant, f"{desk.channel_id}/operator/{desk.ana}"))
    told = await desk.composed()
    assert told.text == "Bom dia!\n\n-- \nAna\n"
    assert told.signature.why == "render_failed"


async def test_html_the_sanitiser_refuses_leaves_the_text() -> None:
    desk = await Desk().opened()
    told = await desk.composed(html="<p>hostile</p>", text="Oi")
    assert (told.html, told.text) == (None, "Oi")
    assert "hostile" in ((await desk.composed(html="<p>hostile</p>", text=None)).text or "")


@pytest.mark.parametrize("extra", [0, 1])
async def test_a_large_body_travels_by_reference(extra: int) -> None:
    desk = await Desk().opened()
    await desk.signed(text="Ana", by=desk.ana)
    room = limits.INLINE_TEXT - len("\n\n-- \nAna\n")
    told = await desk.composed(text="x" * (room + extra))
    assert (told.text is None, told.text_ref is not None) == (bool(extra), bool(extra))
    if told.text_ref:
        stored = await desk.bodies.fetch(desk.tenant, told.text_ref)
        again = await desk.composed(text=None, text_ref=told.text_ref)
        assert stored is not None
        assert stored.endswith("x\n\n-- \nAna\n")
        assert again.text_ref is not None


async def test_a_body_that_is_gone_holds_up_nobody_for_ever() -> None:
    desk = await Desk().opened()
    ref = await desk.bodies.store(str(new_id()), "of another tenant", "text/plain")
    with pytest.raises(Unavailable):
        await desk.composed(text=None, text_ref=ref)
    assert (await desk.composed(text=None, text_ref=ref, expires_at=desk.clock.now())).text == ""


@pytest.mark.parametrize("named", [{"channel_version": 2}, {"operator_version": 2}, {"operator_id": new_id()}])
async def test_a_copy_that_is_late_is_waited_for(named: dict[str, object]) -> None:
    desk = await Desk().opened()
    with pytest.raises(Unavailable):
        await desk.composed(**named)
    assert not desk.publisher.published


async def test_an_unacknowledged_message_is_not_done() -> None:
    desk = await Desk().opened()
    desk.publisher.failures = 1
    with pytest.raises(Unavailable):
        await desk.composed()


async def test_a_message_of_a_removed_channel_goes_on_unsigned() -> None:
    desk = await Desk().opened()
    await desk.signed(text="Ana", by=desk.ana)
    await desk.copies.channel(desk.event(desk.channel(2, removed=True)))
    assert (await desk.composed()).signature.why == "none"


async def test_the_sender_name() -> None:
    desk = await Desk().opened()
    await desk.copies.channel(desk.event(desk.channel(2, sender_name="Loja Azul")))
    assert (await desk.composed()).sender.name == "Loja Azul"


async def test_the_tenants_name_is_asked_for_only_where_it_shows() -> None:
    desk = await Desk().opened()
    await desk.signed(text="{{ tenant.name }}")
    assert (await desk.composed()).text == "Bom dia!\n\n-- \nLoja Azul\n"
    desk.tenants.held.clear()
    with pytest.raises(Unavailable):
        await desk.composed()
    await desk.signed(text="A equipe")
    assert (await desk.composed()).text == "Bom dia!\n\n-- \nA equipe\n"


def _break(desk: Desk, key: tuple[str, str]) -> None:
    stored = desk.signatures.stored[key]
    assert isinstance(stored, Signature)
    desk.signatures.stored[key] = replace(stored, template=replace(stored.template, text="broken"))
