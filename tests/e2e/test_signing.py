"""Who signs how: own, default, none, the two switches, and the preview."""

from __future__ import annotations

import asyncio
from base64 import b64decode

from services.kit.ids import uuid7
from services.kit.mongo import connect
from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.mail import signed
from tests.infra.smtp_peer import Peer
from tests.infra.stack import Stack

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
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


async def test_an_image_goes_with_the_signature(desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Images")
    logo = (await desk.upload(PNG))["blob_id"]
    html = f'<p>{{{{ operator.name }}}}</p><img src="blob:{logo}" alt="The Desk" width="64">'
    shown = await desk.ok(
        "POST", f"/v1/channels/{channel}/signatures/preview", {"template": builders.signature(html=html)}
    )
    await desk.sign(channel, f"operators/{desk.ana}", builders.signature(html=html))
    mail, why = await signed(desk, channel, peer, "image@client.test", desk.ana, text="Olá!\nSai hoje.")
    assert why == "own"
    _, related = mail.content.iter_parts()
    assert mail.content.get_content_type() == "multipart/alternative"
    assert related.get_content_type() == "multipart/related"
    page, image = related.iter_parts()
    assert image["Content-ID"] == f"<{shown['images'][0]['content_id']}>"
    assert (image.get_content_type(), image.get_content_disposition()) == ("image/png", "inline")
    assert image.get_payload(decode=True) == PNG
    assert shown["html"] in page.get_content().replace("\r\n", "\n")
    assert f'src="cid:{shown["images"][0]["content_id"]}"' in page.get_content()
    assert mail.text == "Olá!\nSai hoje.\n\n-- \nAna Prado\n\nThe Desk\n"
    fetched = await desk.call("GET", f"/v1/blobs/{logo}")
    assert fetched.content == PNG


async def test_only_images_that_were_uploaded_here(desk: Desk, channel: str, stack: Stack) -> None:
    async with await Desk.open(stack) as other:
        theirs = (await other.upload(PNG))["blob_id"]
    page = (await desk.upload(b"<svg/>", "x.svg", "attachment"))["blob_id"]
    said = []
    for address in (f"blob:{theirs}", f"blob:{uuid7()}", f"blob:{page}", "https://x.test/a.png"):
        body = builders.signature(html=f'<img src="{address}">')
        refused = await desk.call("PUT", f"/v1/channels/{channel}/signatures/default", body)
        previewed = await desk.call("POST", f"/v1/channels/{channel}/signatures/preview", {"template": body})
        assert (refused.status_code, previewed.status_code) == (422, 422), refused.text
        (wrong,), (seen,) = refused.json()["errors"], previewed.json()["errors"]
        assert (wrong["code"], wrong["detail"]) == (seen["code"], seen["detail"])
        said.append(wrong)
    assert said[0] == said[1] == said[2]
    assert [one["code"] for one in said] == ["unknown_image"] * 3 + ["remote_image"]


async def test_a_message_is_not_lost_to_an_image(desk: Desk, peer: Peer, stack: Stack) -> None:
    channel = await desk.connected(peer.port, name="Gone")
    logo = (await desk.upload(PNG))["blob_id"]
    await desk.sign(channel, f"operators/{desk.ana}", builders.signature(html=f'<b>Ana</b><img src="blob:{logo}">'))
    client = connect(stack.mongo)
    gone = await client["malote_blobs"]["blobs"].delete_one({"_id": f"{desk.tenant}/{logo}"})
    client.close()
    assert gone.deleted_count == 1
    mail, why = await signed(desk, channel, peer, "gone@client.test", desk.ana)
    assert (why, "<img" in mail.html, "Ana" in mail.html) == ("image_missing", False, True)
