"""Was it a machine? And whom does a report speak of?"""

from __future__ import annotations

import pytest

from services.ingest.domain.parsed import Failure
from tests.unit.ingest_parse.reading import multipart, parsed

RETURNED = "Content-Type: message/rfc822\n\nMessage-ID: <ours.k1@example.net>\nReferences: <root@x>\nSubject: s\n\nhi"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("Subject: Hello", "none"),
        ("Auto-Submitted: no", "none"),
        ("Auto-Submitted: auto-replied (vacation)", "auto-reply"),
        ("Auto-Submitted: auto-replied; owner-email=\"a@b\"", "auto-reply"),
        ("Auto-Submitted: auto-generated", "other"),
        ("Auto-Submitted: auto-generated\nIn-Reply-To: <a@b>", "auto-reply"),
        ("Auto-Submitted: auto-generated\nSubject: Automatic reply: Hello", "auto-reply"),
        ("X-Auto-Response-Suppress: All\nSubject: Resposta automática: Olá", "auto-reply"),
        ("Subject: Out of office ideas for spring", "none"),
        ("X-Autoreply: yes", "auto-reply"),
        ("Precedence: auto_reply", "auto-reply"),
        ("Precedence: bulk", "other"),
        ("Precedence: list", "list"),
        ("List-Id: <dev.example.org>", "list"),
        ("List-Unsubscribe: <mailto:x@example.org>\nPrecedence: bulk", "list"),
        ("Return-Path: <>\nSubject: Vacation", "auto-reply"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "auto-reply"),
        ("Content-Type: multipart/report; report-type=feedback-report; boundary=b", "other"),
        ("\n".join(["Received: by x"] * 60), "loop"),
        ("\n".join(["Delivered-To: a@example.net"] * 5), "loop"),
        ("\n".join(["Delivered-To: a@example.net"] * 2), "none"),
    ],
)  # fmt: skip
def test_the_kind_of_machine(headers: str, kind: str) -> None:
    assert parsed(f"From: ana@example.com\n{headers}\n\nhello\n").auto == kind


def report(fields: str, *more: str) -> str:
    return "From: MAILER-DAEMON@mx.example\n" + multipart(
        "report; report-type=delivery-status",
        "Content-Type: text/plain\n\nSorry.",
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{fields}",
        *more,
    )


def test_a_report_names_its_recipients_and_the_mail_it_returns() -> None:
    fields = (
        "Final-Recipient: rfc822; Ana@Example.com\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1\n no such user\n\n"
        "Original-Recipient: rfc822;bob@example.com\nFinal-Recipient: rfc822; bob@other.example\nAction: delayed\n"
        "Status: 4.4.1 (no answer)"
    )
    mail = parsed(report(fields, RETURNED))
    assert mail.auto == "bounce"
    assert mail.text == "Sorry."
    assert mail.bounce is not None
    assert mail.bounce.recipients == (
        Failure("Ana@Example.com", "failed", "5.1.1", "550 5.1.1 no such user"),
        Failure("bob@example.com", "delayed", "4.4.1", None),
    )
    assert mail.bounce.internet_message_id == "<ours.k1@example.net>"
    assert mail.bounce.references == ("<root@x>",)
    assert [each.media_type for each in mail.attachments] == ["message/delivery-status", "message/rfc822"]


def test_headers_alone_are_returned_too() -> None:
    headers = "Content-Type: text/rfc822-headers\n\nMessage-ID: <ours@example.net>\n"
    bounce = parsed(report("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0", headers)).bounce
    assert bounce is not None
    assert bounce.internet_message_id == "<ours@example.net>"


@pytest.mark.parametrize("name", ["X-Original-Message-ID", "Original-Message-ID"])
def test_a_report_that_returns_nothing_names_the_mail(name: str) -> None:
    fields = (
        f"Reporting-MTA: dns; mx\n{name}: <ours@example.net>\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 5.1.1"
    )
    bounce = parsed(report(fields, "Content-Type: text/plain\n\nNothing is returned.\n")).bounce
    assert bounce is not None
    assert (bounce.internet_message_id, [each.address for each in bounce.recipients]) == (
        "<ours@example.net>", ["a@b.example"],
    )  # fmt: skip


def test_a_report_in_prose() -> None:
    mail = parsed(
        "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at mx.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<ana@example.com>:\nRemote host said: 550 5.1.1 no such user\n\n"
        "--- Below this line is a copy of the message.\n\nMessage-ID: <ours@example.net>\nSubject: x\n\nhi\n"
    )
    assert mail.auto == "bounce"
    assert mail.bounce is not None
    assert mail.bounce.recipients == (Failure("ana@example.com", "failed", "5.1.1"),)
    assert mail.bounce.internet_message_id == "<ours@example.net>"


def test_a_report_of_exim() -> None:
    mail = parsed(
        "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: ana@example.com\n"
        "Auto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender\n\n"
        "This message was created automatically by mail delivery software.\n  ana@example.com\n    550 unknown user\n"
    )
    assert mail.bounce is not None
    assert [each.address for each in mail.bounce.recipients] == ["ana@example.com"]


@pytest.mark.parametrize(
    "headers",
    [
        "From: ana@example.com\nSubject: Undelivered parcel: failure notice",
        "From: postmaster@example.com\nAuto-Submitted: auto-replied\nSubject: Out of office",
    ],
)
def test_what_is_no_report(headers: str) -> None:
    mail = parsed(f"{headers}\n\nMy parcel <x@example.com>: was not delivered\n")
    assert mail.bounce is None
    assert mail.auto != "bounce"
