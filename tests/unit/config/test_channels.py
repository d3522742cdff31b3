"""Channels: created, changed, removed, reconnected, refused; each wish answered once and alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.channel import Credentials
from services.config.domain.validation import Allowed
from services.kit.unavailable import Unavailable
from tests.unit.config.wishes import World, new_id, sealed, settings


async def test_a_channel_is_created_and_told_whole() -> None:
    world = await World().with_plan()
    wish = world.wish()
    await world.ask(wish)
    (told,) = world.channels.owed
    assert (told.data.version, told.data.request_id, told.data.removed) == (1, wish.request_id, False)
    assert told.data.settings == wish.settings
    assert told.data.credentials == wish.credentials
    assert told.data.created_at == told.data.changed_at == told.time == world.clock.now()
    assert world.slots.stored[world.tenant].channel_ids == (world.channel_id,)


async def test_a_change_keeps_the_secrets_that_are_not_given() -> None:
    world = await World().with_plan()
    first = world.wish()
    await world.ask(first)
    await world.ask(world.wish(expected=1, of=settings(name="Suporte"), credentials=Credentials()))
    told = world.channels.owed[-1].data
    assert (told.version, told.settings.name, told.credentials) == (2, "Suporte", first.credentials)
    assert not world.rejections.owed


@pytest.mark.parametrize(
    ("direction", "changed"),
    [
        ("smtp", {"host": "evil.example.net"}), ("smtp", {"port": 587}), ("imap", {"security": "starttls"}),
        ("imap", {"user_name": "other@example.com"}), ("smtp", {"auth": "oauth2"}),
    ],
)  # fmt: skip
async def test_who_changes_a_server_gives_the_secret_again(direction: str, changed: dict[str, Any]) -> None:
    world = await World().with_plan()
    await world.ask(world.wish())
    await world.ask(world.wish(expected=1, of=settings(**{direction: changed}), credentials=Credentials()))
    refused = world.refusal()
    assert refused.code == "secret_required"
    assert [error.field for error in refused.errors] == [f"credentials.{direction}"]
    assert next(iter(changed)) in refused.errors[0].detail
    assert world.channels.stored[world.tenant, world.channel_id].version == 1


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"tenant": "another"}, "tenant"), ({"channel_id": "another"}, "channel_id"),
        ({"direction": "imap"}, "direction"),
        ({"host": "evil.example.net"}, "host"), ({"port": 25}, "port"), ({"security": "none"}, "security"),
        ({"user_name": "boss"}, "user_name"), ({"sealed_version": 7}, "sealed_version"),
    ],
)  # fmt: skip
async def test_a_secret_sealed_for_something_else_is_refused(other: dict[str, Any], named: str) -> None:
    world = await World().with_plan()
    of = settings()
    both = Credentials(
        imap=sealed(world.tenant, world.channel_id, "imap", of),
        smtp=sealed(world.tenant, world.channel_id, "smtp", of, **other),
    )
    await world.ask(world.wish(credentials=both))
    refused = world.refusal()
    assert (refused.code, refused.errors[0].field) == ("invalid", "credentials.smtp")
    assert named in refused.errors[0].detail
    assert not world.channels.stored


async def test_an_older_secret_does_not_come_back() -> None:
    world = await World().with_plan()
    old = world.wish()
    await world.ask(old)
    newer = Credentials(smtp=sealed(world.tenant, world.channel_id, "smtp", settings(), 2))
    await world.ask(world.wish(expected=1, credentials=newer))
    await world.ask(world.wish(expected=2, credentials=Credentials(smtp=old.credentials.smtp)))
    assert world.refusal().errors[0].code == "sealed_version"


async def test_rubbish_for_a_secret_is_refused() -> None:
    world = await World().with_plan()
    good = world.wish().credentials
    assert good.imap is not None
    await world.ask(world.wish(credentials=Credentials(imap=good.imap, smtp=good.imap.model_copy(update={"jwe": "x"}))))
    assert world.refusal().errors[0].code == "unreadable"


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"smtp": {"port": 25}}, ["smtp.port"]), ({"imap": {"port": 465}}, ["imap.port"]),
        ({"smtp": {"security": "none"}}, ["smtp.security"]), ({"imap": {"host": "a b"}}, ["imap.host"]),
        ({"imap": {"host": "mail.example.com\r\n"}}, ["imap.host"]),
        ({"smtp": {"host": "-x.example.com"}}, ["smtp.host"]),
        ({"smtp": {"user_name": "a\r\nb"}}, ["smtp.user_name"]),
        ({"smtp": {"port": 1, "host": "/"}, "imap": {"security": "none"}}, ["imap.security", "smtp.host", "smtp.port"]),
    ],
)  # fmt: skip
async def test_settings_that_cannot_be_taken_are_all_named(changed: dict[str, Any], fields: list[str]) -> None:
    world = await World().with_plan()
    await world.ask(world.wish(of=settings(**changed)))
    refused = world.refusal()
    assert refused.code == "invalid"
    assert [error.field for error in refused.errors] == fields
    assert not world.slots.stored


async def test_the_platform_may_allow_more() -> None:
    world = await World(allowed=Allowed(frozenset({143, 3143}), frozenset({3025}), plain=True)).with_plan()
    local = {"host": "127.0.0.1", "security": "none"}
    await world.ask(world.wish(of=settings(imap={**local, "port": 3143}, smtp={**local, "port": 3025})))
    assert not world.rejections.owed


async def test_a_change_against_another_version_names_the_one_that_stands() -> None:
    world = await World().with_plan()
    await world.ask(world.wish())
    await world.ask(world.wish(expected=0, of=settings(name="B")))
    refused = world.refusal()
    assert (refused.code, refused.current_version) == ("version_mismatch", 1)
    await world.ask(world.wish(expected=None, of=settings(name="C"), credentials=Credentials()))
    assert world.channels.owed[-1].data.settings.name == "C"


async def test_a_change_of_what_is_not_there() -> None:
    world = await World().with_plan()
    await world.ask(world.wish(expected=3))
    assert world.refusal().code == "not_found"


@pytest.mark.parametrize("planned", [True, False])
async def test_without_email_in_the_plan_nothing_is_written(planned: bool) -> None:
    world = World()
    if planned:
        await world.with_plan(enabled=False)
    await world.ask(world.wish())
    assert world.refusal().code == "email_disabled"
    assert not world.channels.stored


async def test_the_limit_holds_against_many_at_once() -> None:
    world = await World().with_plan(most=2)
    wishes = [world.wish(channel_id=new_id()) for _ in range(5)]
    results = await asyncio.gather(*(world.ask(wish) for wish in wishes), return_exceptions=True)
    for wish, result in zip(wishes, results, strict=True):  # contended ones are taken again, as the topic would
        if isinstance(result, Unavailable):
            await world.ask(wish)
    assert len(world.channels.stored) == 2
    assert [owed.data.code for owed in world.rejections.owed] == ["channel_limit"] * 3


async def test_removal_drops_the_secrets_and_frees_the_slot() -> None:
    world = await World().with_plan(most=1)
    await world.ask(world.wish())
    await world.ask(world.removal_wish(expected=1))
    told = world.channels.owed[-1].data
    assert (told.version, told.removed, told.credentials) == (2, True, Credentials())
    await world.ask(world.wish(channel_id=new_id()))
    assert not world.rejections.owed
    await world.ask(world.wish(expected=None))
    assert world.refusal().code == "not_found"


@pytest.mark.parametrize("what", ["removal_wish", "reconnect_wish"])
async def test_what_is_not_there_can_not_be_removed_or_reconnected(what: str) -> None:
    world = await World().with_plan()
    await world.ask(getattr(world, what)())
    assert world.refusal().code == "not_found"


async def test_reconnect_raises_its_number() -> None:
    world = await World().with_plan()
    await world.ask(world.wish())
    await world.ask(world.reconnect_wish())
    told = world.channels.owed[-1].data
    assert (told.version, told.reconnect_seq) == (2, 1)


async def test_a_repeated_wish_repeats_its_answer_and_changes_nothing() -> None:
    world = await World().with_plan()
    wish = world.wish()
    for again in (wish, world.reconnect_wish(), world.removal_wish()):
        await world.ask(again)
        stored, owed = world.channels.stored[world.tenant, world.channel_id], len(world.channels.owed)
        await world.ask(again)
        assert world.channels.stored[world.tenant, world.channel_id] is stored
        assert len(world.channels.owed) == owed
        assert world.publisher.published[-1] == world.channels.owed[-1]
    await world.ask(wish)  # long granted: the channel as it is now, not the old one
    assert world.publisher.published[-1].data.removed


async def test_a_repeated_refusal_is_the_same_refusal() -> None:
    world = World()
    wish = world.wish()
    await world.ask(wish)
    await world.with_plan()
    await world.ask(wish)
    assert world.publisher.published == world.rejections.owed
    assert not world.channels.stored


async def test_a_miss_reads_and_decides_again() -> None:
    world = await World().with_plan()
    world.channels.misses = 4
    await world.ask(world.wish())
    assert len(world.channels.owed) == 1
    world.channels.misses = 5
    with pytest.raises(Unavailable):
        await world.ask(world.reconnect_wish())


async def test_a_stale_record_is_followed_by_the_current_state() -> None:
    world = await World().with_plan()
    await world.ask(world.wish())
    await world.ask(world.reconnect_wish())
    first, second = world.channels.owed
    await world.watch.channel(second)
    assert not world.publisher.published
    await world.watch.channel(first)
    assert world.publisher.published == [second]


async def test_a_removed_channel_is_forgotten_after_its_time() -> None:
    world = await World().with_plan()
    await world.ask(world.wish())
    await world.ask(world.removal_wish())
    assert await world.sweep.handle() == 0
    world.channels.expired.add(world.channel_id)
    assert await world.sweep.handle() == 1
    assert world.publisher.forgotten == [("malote.channels.v1", world.tenant, world.channel_id)]
    assert not world.channels.stored


async def test_nothing_readable_is_shown_of_a_secret() -> None:
    world = await World().with_plan()
    wish = world.wish()
    await world.ask(wish)
    assert wish.credentials.smtp is not None
    assert wish.credentials.smtp.jwe not in repr(world.channels.stored)
