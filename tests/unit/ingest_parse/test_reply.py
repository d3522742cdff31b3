"""The new part of a reply."""

from __future__ import annotations

import pytest

from services.ingest.domain.mail_reply import new_part


@pytest.mark.parametrize(
    "quotation",
    [
        "On Mon, 3 Nov 2025 at 10:00, Bob <b@example.com> wrote:\n> old\n",
        "On Mon, 3 Nov 2025 at 10:00, Bob Smith\n<b@example.com> wrote:\n\n> old\n> older\n",
        "On Monday, 3 November 2025,\nBob Smith <b@example.com>\nwrote:\n\nold\n",
        "Em seg., 3 de nov. de 2025 às 10:00, Bob <b@example.com> escreveu:\n\nold",
        "Am 03.11.2025 um 10:00 schrieb Bob Smith:\nold",
        "Le lun. 3 nov. 2025 à 10:00, Bob <b@example.com> a écrit :\n\nold",
        "El lun, 3 nov 2025 a las 10:00, Bob (<b@example.com>) escribió:\n\nold",
        "03.11.2025, 10:00, \"Bob\" <b@example.com>:\n> old",
        "2025年11月3日(月) 10:00 Bob <b@example.com>:\n\n> old",
        "-----Original Message-----\nFrom: Bob\n\nold",
        "________________________________\nVon: Bob\nGesendet: Montag\nAn: Ana\nBetreff: x\n\nold",
        "De: Bob\nEnviado: segunda-feira\nPara: Ana\nAssunto: x\n\nold",
        "> old\n> older",
    ],
)  # fmt: skip
def test_a_quotation_is_left_out(quotation: str) -> None:
    assert new_part(f"Yes, we take it.\n\n{quotation}") == "Yes, we take it."


@pytest.mark.parametrize(
    "text",
    [
        "Just a text.\nTwo lines: with a colon",
        "Dear Bob,\nplease note:\n- one\n- two\n",
        "From: my point of view it is fine.\nBye",
        "Meet on 3.11.2025 at 10:00 to talk about:\n- the offer\n",
        "> only\n> quoted",
        "",
        "----------\nAna Doe\nTel: 123",
    ],
)
def test_nothing_is_said_where_nothing_is_quoted_or_everything(text: str) -> None:
    assert new_part(text) is None


def test_answers_between_quoted_lines_are_kept() -> None:
    text = "On 3 Nov 2025, Bob <b@example.com> wrote:\n> When?\nOn Monday.\n> Where?\nHere.\n"
    assert new_part(text) == "On Monday.\nHere."
