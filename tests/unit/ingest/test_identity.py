"""Identities are version 5 UUIDs, the same for ever; a figure that changes here doubles every mail of every tenant."""

from __future__ import annotations

from uuid import UUID, uuid5

from services.ingest.domain.identity import NAMESPACE, blob_id, conversation_id, mail_id

KEY = ("t", "c")


def test_they_are_what_the_standard_library_makes() -> None:
    assert mail_id(KEY, 0, 7, 42) == str(uuid5(NAMESPACE, "t/c/mail/INBOX/7/42"))
    assert mail_id(KEY, 3, 7, 42) == str(uuid5(NAMESPACE, "t/c/mail/INBOX/7/42/3"))
    assert conversation_id(KEY, "<ümläut@x>") == str(uuid5(NAMESPACE, "t/c/conversation/<ümläut@x>"))
    assert blob_id(KEY, "ab", "raw") == str(uuid5(NAMESPACE, "t/c/blob/ab/raw"))


def test_they_are_frozen() -> None:
    assert mail_id(KEY, 0, 1, 1) == "1043271e-b3d7-5bde-88a6-8ae26d20cef3"
    assert UUID(mail_id(KEY, 0, 1, 1)).version == 5


def test_half_a_character_in_a_message_id_has_an_identity_too() -> None:
    assert UUID(conversation_id(KEY, "<\ud800@x>")).version == 5
