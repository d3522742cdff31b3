"""Starting a conversation, with and without a first message."""

from __future__ import annotations

import pytest

from contracts.conversation import ConversationChanged
from contracts.message import SendRequested
from services.gateway.domain.answers import Opened, Started
from services.gateway.domain.conversation import Start
from services.gateway.domain.message import Person
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from services.gateway.ports import Key
from services.kit.unavailable import Unanswered
from tests.unit.gateway.world import CHANNEL, OTHER, TENANT, World, ana, channel, content, settings, world

KEY = Key("conversations/1", "hash")
CARLA = Person("carla@client.test", "Carla")


@pytest.fixture
async def here() -> World:
    return await world()


async def started(here: World, *clients: Person, key: Key = KEY, first: bool = False) -> Started:
    wish = Start(CHANNEL, clients or (CARLA,), content() if first else None)
    found = await here.use.start.handle(ana(), wish, key)
    assert isinstance(found, Started), found
    return found


async def test_without_a_message_nothing_is_sent(here: World) -> None:
    made = await started(here)
    assert made.message is None
    (owed,) = here.events()
    assert isinstance(owed.data, ConversationChanged)
    assert (owed.data.channel_id, owed.data.participants[0].address) == (CHANNEL, CARLA.address)


async def test_with_a_message_the_conversation_comes_first(here: World) -> None:
    made = await started(here, first=True)
    assert made.message is not None
    assert made.message.conversation_id == made.conversation.conversation_id
    assert [type(one.data) for one in here.events()] == [SendRequested, ConversationChanged]
    assert made.conversation.subject == "Hello"


async def test_a_retry_completes_what_a_crash_left(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> None:
        raise Unanswered("told to fail")

    with monkeypatch.context() as patched:
        patched.setattr(here.messages, "accept", lost)
        with pytest.raises(Unanswered):
            await started(here, first=True)
    first, second = await started(here, first=True), await started(here, first=True)
    assert first.message
    assert second.message
    assert first.message.message_id == second.message.message_id
    assert len(here.conversations.kept) == len(here.messages.kept) == 1


async def test_a_retry_keeps_its_answer_although_writing_first_was_switched_off(here: World) -> None:
    made = await started(here, first=True)
    here.channels.kept[TENANT, CHANNEL] = channel(settings=settings(write_first=False))
    again = await started(here, first=True)
    assert again.message
    assert made.message
    assert again.message.message_id == made.message.message_id
    refused = await here.use.start.handle(ana(), Start(CHANNEL, (CARLA,), None), Key("conversations/2", "h"))
    assert isinstance(refused, Refused)
    assert refused.code is Code.WRITE_FIRST_DISABLED


async def test_the_same_key_with_another_body_is_refused(here: World) -> None:
    await started(here)
    refused = await here.use.start.handle(ana(), Start(CHANNEL, (CARLA,), None), Key(KEY.value, "another"))
    assert isinstance(refused, Refused)
    assert refused.code is Code.IDEMPOTENCY_MISMATCH


async def test_everybody_is_written_to_once_and_we_not_at_all(here: World) -> None:
    twice = (CARLA, Person("CARLA@client.test"), Person("desk@acme.test"), Person("joao@client.test"))
    made = await started(here, *twice)
    assert [one.address for one in made.conversation.participants] == [CARLA.address, "joao@client.test"]
    alone = await here.use.start.handle(
        ana(), Start(CHANNEL, (Person("desk@acme.test"),), None), Key("conversations/2", "h")
    )
    assert isinstance(alone, Refused)
    assert alone.faults[0].field == "clients"


async def test_a_bad_first_message_starts_nothing(here: World) -> None:
    wish = Start(CHANNEL, (CARLA,), content(subject="a\r\nb"))
    assert isinstance(await here.use.start.handle(ana(), wish, KEY), Refused)
    assert not here.conversations.kept


async def test_a_foreign_channel_is_not_there(here: World) -> None:
    assert await here.use.start.handle(ana(tenant=OTHER), Start(CHANNEL, (CARLA,), None), KEY) == NOT_FOUND


async def test_hiding_takes_it_off_the_list_and_says_so(here: World) -> None:
    made = await started(here)
    conversation_id = made.conversation.conversation_id
    hidden = await here.use.conversation.hide(ana(), conversation_id)
    assert not isinstance(hidden, Refused)
    assert (hidden.hidden, hidden.version) == (True, 2)
    assert await here.use.conversation.list(ana(), None, None, None, Cut()) == Page(())
    said = here.conversations.spoken[-1][1].data
    assert (said.hidden, said.version) == (True, 2)
    assert await here.use.conversation.hide(ana(), conversation_id) == hidden
    assert len(here.conversations.spoken) == 2


async def test_messages_are_read_the_newest_first_and_hidden_ones_are_left_out(here: World) -> None:
    made = await started(here)
    conversation_id = made.conversation.conversation_id
    sent = [
        await here.use.send.handle(ana(), conversation_id, content(subject=str(n)), Key(f"messages/{n}", "h"))
        for n in range(3)
    ]
    await here.use.message.hide(ana(), sent[1].message_id)  # type: ignore[union-attr]
    page = await here.use.conversation.handle(ana(), conversation_id, Cut(1))
    assert isinstance(page, Opened)
    rest = await here.use.conversation.handle(ana(), conversation_id, Cut(1, page.messages.after))
    assert isinstance(rest, Opened)
    assert [one.subject for one in (*page.messages.items, *rest.messages.items)] == ["2", "0"]
    assert rest.messages.after is None


async def test_a_stale_record_makes_us_publish_again(here: World) -> None:
    made = await started(here)
    stale = here.conversations.spoken[0][1]
    await here.use.conversation.hide(ana(), made.conversation.conversation_id)
    await here.use.current.handle(here.conversations.spoken[-1][1])
    assert len(here.conversations.spoken) == 2
    await here.use.current.handle(stale)
    assert here.conversations.spoken[-1][1].data.version == 2
    assert len(here.conversations.spoken) == 3
