"""Who signs how: own, default, none, the two switches, and the preview."""

from __future__ import annotations

import asyncio

from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.mail import signed
from tests.infra.smtp_peer import Peer

COPY_S = 0.6
"""How old the signatures may be that a message is composed with (`services.signature.ports`)."""


async def test_no_signature_and_the_two_switches(desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Switches")
    await desk.sign(channel, "default", builders.signature(text="The default"))
    await desk.sign(channel, f"operators/{desk.ana}", builders.signature(text="Ana's own"))
    await desk.sign(channel, f"operators/{desk.rui}", builders.signature(mode="none"))
    _, why = await signed(desk, channel, peer, "none@client.test", desk.rui)
    assert why == "no_signature"
    await desk.sign(channel, f"operators/{desk.rui}", builders.signature())
    await asyncio.sleep(COPY_S)
    mail, why = await signed(desk, channel, peer, "empty@client.test", desk.rui)
    assert (why, "The default" in mail.text) == ("default", True)
    await desk.switch(channel, operators_sign=True, default_enabled=False)
    await asyncio.sleep(COPY_S)
    mail, why = await signed(desk, channel, peer, "nodefault@client.test", desk.rui)
    assert (why, mail.text) == ("none", "It leaves today.\n")
    await desk.switch(channel, operators_sign=False, default_enabled=True)
    await asyncio.sleep(COPY_S)
    mail, why = await signed(desk, channel, peer, "nosign@client.test", desk.ana)
    assert (why, mail.text) == ("operators_do_not_sign", "It leaves today.\n")
    shown = await desk.ok("GET", f"/v1/channels/{channel}/signatures")
    assert (shown["policy"]["operators_sign"], shown["policy"]["default_enabled"]) == (False, True)
    assert shown["default"]["text"] == "The default"


async def test_a_preview_shows_what_a_mail_will_carry(desk: Desk, channel: str) -> None:
    body = {
        "template": builders.signature(html="<p>{{ operator.name }} <script>x</script></p>"),
        "operator_id": desk.ana,
    }
    shown = await desk.ok("POST", f"/v1/channels/{channel}/signatures/preview", body)
    assert "Ana Prado" in shown["html"]
    assert "script" not in shown["html"]
    assert shown["text"].strip() == "Ana Prado"
