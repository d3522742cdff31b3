"""What the demonstration's client writes continues the thread, as ingest reads it."""

from __future__ import annotations

from email.message import EmailMessage

from deploy.local.letter import Letter, quoted
from tests.unit.ingest_parse.reading import parsed

OURS = "<" + "a" * 26 + "." + "b" * 26 + ".k1" + "c" * 16 + "@acme.test>"


def test_an_answer_names_the_mail_it_answers_and_its_thread() -> None:
    first = EmailMessage()
    first["Message-ID"], first["References"] = OURS, "<root@acme.test>"
    letter = Letter("Carla <carla@client.test>", "desk@acme.test", "Re: x", f"When?\n{quoted('Today.')}", first)
    read = parsed(bytes(letter.mail()))
    assert (read.in_reply_to, read.references) == ((OURS,), ("<root@acme.test>", OURS))
    assert (read.text, read.sender and read.sender.name) == ("When?\n> Today.\n", "Carla")
    assert letter.mail()["Message-ID"] != letter.mail()["Message-ID"]


def test_a_first_letter_answers_nothing() -> None:
    mail = Letter("a@client.test", "desk@acme.test", "x", "y").mail()
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None
