"""Settings: hosts are checked, secrets are sealed, owners are asked and waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.channel import ChannelChangeRequested, ChannelRemovalRequested
from contracts.signature import SignatureChangeRequested, SignaturePolicyChangeRequested, SignatureTemplate
from services.gateway.domain.answers import Pending
from services.gateway.domain.page import Cut
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused, invalid
from services.gateway.domain.who import Principal
from services.gateway.ports import Connected, Preview
from services.kit.ids import uuid7
from tests.unit.gateway.world import ANA, CHANNEL, OTHER, TENANT, World, ana, settings, world

BOTH = {"imap": {"password": "p1"}, "smtp": {"password": "p2"}}
NONE: dict[str, Any] = {"imap": None, "smtp": None}


@pytest.fixture
async def here() -> World:
    return await world()


def asked(here: World) -> Any:
    return here.wishes.spoken[-1][1].data


async def test_a_channel_is_created_with_sealed_secrets(here: World) -> None:
    here.owner_grants()
    made = await here.use.create.handle(ana(), settings(), BOTH)
    assert isinstance(made, Connected)
    wish = asked(here)
    assert isinstance(wish, ChannelChangeRequested)
    assert (wish.expected_version, wish.requested_by) == (0, "ana")
    assert wish.channel_id == made.channel.channel_id != CHANNEL
    assert wish.credentials.smtp is not None
    assert (wish.credentials.smtp.jwe, wish.credentials.smtp.sealed_version) == (
        "sealed:smtp:mail.acme.test:['password']", 1,
    )  # fmt: skip
    assert "p2" not in wish.model_dump_json()
    assert [way for way, _ in here.hosts.asked] == ["imap", "smtp"]


async def test_a_channel_without_its_passwords_is_not_created(here: World) -> None:
    refused = await here.use.create.handle(ana(), settings(), NONE)
    assert isinstance(refused, Refused)
    assert refused.code is Code.SECRET_REQUIRED
    assert [one.field for one in refused.faults] == ["imap.secret", "smtp.secret"]
    assert not here.wishes.spoken


async def test_a_change_that_moves_nothing_keeps_the_secret_and_asks_no_host(here: World) -> None:
    here.owner_grants()
    made = await here.use.change.handle(ana(), CHANNEL, settings(write_first=False), NONE, 3)
    assert isinstance(made, Connected)
    assert (made.channel.version, made.channel.settings.write_first) == (4, False)
    wish = asked(here)
    assert (wish.expected_version, wish.credentials.imap, wish.credentials.smtp) == (3, None, None)
    assert here.hosts.asked == []


@pytest.mark.parametrize("moved", [{"host": "other.test"}, {"port": 587}, {"user_name": "x"}, {"security": "starttls"}])
async def test_a_moved_server_needs_its_password_again(here: World, moved: dict[str, Any]) -> None:
    here.owner_grants()
    after = settings()
    after = settings(smtp=after.smtp.model_copy(update=moved))
    refused = await here.use.change.handle(ana(), CHANNEL, after, NONE, None)
    assert isinstance(refused, Refused)
    assert [one.field for one in refused.faults] == ["smtp.secret"]
    assert isinstance(
        await here.use.change.handle(ana(), CHANNEL, after, {**NONE, "smtp": {"password": "x"}}, None), Connected
    )
    assert asked(here).credentials.smtp.sealed_version == 5


async def test_a_host_that_is_not_allowed_is_told_before_anything_is_asked(here: World) -> None:
    no = Refused(Code.HOST_NOT_ALLOWED, "Not there.", invalid("smtp.host", "host_not_allowed", "Not there.").faults)
    here.hosts.denied["10.0.0.1"] = no
    after = settings(smtp=settings().smtp.model_copy(update={"host": "10.0.0.1"}))
    assert await here.use.create.handle(ana(), after, BOTH) == no
    assert not here.wishes.spoken


async def test_without_an_answer_the_change_is_pending_and_can_be_read_later(here: World) -> None:
    pending = await here.use.change.handle(ana(), CHANNEL, settings(), NONE, None)
    assert isinstance(pending, Pending)
    assert pending.what == f"/v1/channels/{CHANNEL}"
    await here.ports.wishes.grant(TENANT, pending.request_id, 4)
    wish = await here.use.wish.read(ana(), pending.request_id)
    assert not isinstance(wish, Refused)
    assert wish.granted == 4
    assert await here.use.wish.read(ana(tenant=OTHER), pending.request_id) == NOT_FOUND


async def test_a_refusal_of_the_owner_is_the_answer(here: World) -> None:
    no = Refused(Code.VERSION_MISMATCH, "Changed meanwhile.", version=4)

    async def refuse(wish: Any, _: Any) -> None:
        await here.ports.wishes.refuse(TENANT, wish.request_id, no)

    here.wishes.owner = refuse
    assert await here.use.change.handle(ana(), CHANNEL, settings(), NONE, 2) == no


async def test_a_removed_channel_is_off_the_list_and_not_there(here: World) -> None:
    here.owner_grants()
    removed = await here.use.remove.handle(ana(), CHANNEL, 3)
    assert isinstance(removed, Connected)
    assert removed.channel.removed
    assert isinstance(asked(here), ChannelRemovalRequested)
    assert (await here.use.channel.list(ana(), Cut())).items == ()
    for again in (
        await here.use.remove.handle(ana(), CHANNEL, None),
        await here.use.change.handle(ana(), CHANNEL, settings(), BOTH, None),
        await here.use.reconnect.handle(ana(), CHANNEL),
        await here.use.channel.handle(ana(), CHANNEL),
        await here.use.signature.read(ana(), CHANNEL),
    ):
        assert again == NOT_FOUND


async def test_channels_are_listed_in_pages(here: World) -> None:
    here.owner_grants()
    for _ in range(2):
        await here.use.create.handle(ana(), settings(), BOTH)
    first = await here.use.channel.list(ana(), Cut(2))
    rest = await here.use.channel.list(ana(), Cut(2, first.after))
    assert (len(first.items), len(rest.items), rest.after) == (2, 1, None)


async def test_foreign_channels_are_not_there(here: World) -> None:
    stranger = ana(tenant=OTHER)
    template = SignatureTemplate()
    for answer in (
        await here.use.channel.handle(stranger, CHANNEL),
        await here.use.change.handle(stranger, CHANNEL, settings(), BOTH, None),
        await here.use.remove.handle(stranger, CHANNEL, None),
        await here.use.reconnect.handle(stranger, CHANNEL),
        await here.use.signature.read(stranger, CHANNEL),
        await here.use.signature.default(stranger, CHANNEL, template, None),
        await here.use.signature.turn(stranger, CHANNEL, True, True, None),
        await here.use.preview.handle(stranger, CHANNEL, template, None, ("", "")),
    ):
        assert answer == NOT_FOUND
    assert not here.wishes.spoken


async def test_signatures_and_switches_are_asked_for(here: World) -> None:
    template = SignatureTemplate(html="<p>Ana</p>")
    await here.use.signature.handle(ana(), CHANNEL, ANA, template, 0)
    wish = asked(here)
    assert isinstance(wish, SignatureChangeRequested)
    assert (wish.operator_id, wish.template, wish.expected_version) == (ANA, template, 0)
    await here.use.signature.default(ana(), CHANNEL, template, None)
    assert asked(here).operator_id is None
    await here.use.signature.turn(ana(), CHANNEL, False, True, None)
    assert isinstance(asked(here), SignaturePolicyChangeRequested)
    nobody = await here.use.signature.handle(ana(), CHANNEL, CHANNEL, template, None)
    assert nobody == NOT_FOUND


async def test_a_preview_knows_the_operator_and_the_client(here: World) -> None:
    template = SignatureTemplate(html="{{ operator.name }} for {{ client.name }} at {{ channel.address }}")
    shown = await here.use.preview.handle(ana(), CHANNEL, template, None, ("Carla", "carla@client.test"))
    assert isinstance(shown, Preview)
    assert shown.html == "Ana for Carla at desk@acme.test"


async def test_a_preview_shows_images_of_this_tenant_alone(here: World) -> None:
    async def octets() -> AsyncIterator[bytes]:
        yield b"x"

    async def shown(who: Principal, *blob_ids: str) -> Preview | Refused:
        template = SignatureTemplate(html="".join(f'<img src="blob:{one}">' for one in blob_ids))
        return await here.use.preview.handle(who, CHANNEL, template, None, ("", ""))

    mine = await here.files.keep(TENANT, "logo", "image/png", octets())
    theirs = await here.files.keep(OTHER, "logo", "image/png", octets())
    text = await here.files.keep(TENANT, "text", "text/html", octets())
    found = await shown(ana(), mine.blob_id)
    assert isinstance(found, Preview)
    assert found.images == (mine.blob_id,)
    refused = [await shown(ana(), mine.blob_id, other) for other in (theirs.blob_id, str(uuid7()), text.blob_id)]
    assert [one.faults[0].code for one in refused if isinstance(one, Refused)] == ["unknown_image"] * 3
    assert refused[0] == refused[1]


async def test_operators_are_put_by_version_and_told_to_others(here: World) -> None:
    before = here.operators.kept[TENANT, ANA]
    same = await here.use.operator.handle(ana(), ANA, before.name, None, True, 1)
    assert same == before
    assert not here.operators.spoken
    after = await here.use.operator.handle(ana(), ANA, "Ana Prado", "ana@acme.test", True, 1)
    assert not isinstance(after, Refused)
    assert (after.version, after.name) == (2, "Ana Prado")
    assert here.operators.spoken[-1][1].data == after
    late = await here.use.operator.handle(ana(), ANA, "Late", None, True, 1)
    assert isinstance(late, Refused)
    assert (late.code, late.version) == (Code.VERSION_MISMATCH, 2)
    assert await here.use.operator.read(ana(tenant=OTHER), ANA) == NOT_FOUND


async def test_the_platform_makes_tenants(here: World) -> None:
    here.owner_grants()
    platform = ana("platform:tenants")
    made = await here.use.tenant.handle(platform, "initech", "Initech", True, 3)
    assert not isinstance(made, Refused | Pending)
    assert (made[0], made[1].name) == ("initech", "Initech")
    assert here.wishes.spoken[-1][1].tenant == "initech"
    assert await here.use.tenant.read(ana(), OTHER) == NOT_FOUND
    assert not isinstance(await here.use.tenant.read(platform, OTHER), Refused)
