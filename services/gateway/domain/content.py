"""What a person writes: the subject, the body, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass

from contracts import addresses, limits
from services.gateway.domain.refusal import Code, Fault, Refused, invalid_fields


@dataclass(frozen=True, slots=True)
class Content:
    """A subject and a body in text, in HTML, or both; ``subject`` None takes the conversation's."""

    subject: str | None
    text: str | None
    html: str | None


def refusal_of(content: Content, *, needs_subject: bool) -> Refused | None:
    """Why this cannot be a message, or None."""
    if size := _too_large(content):
        return size
    faults = [*_subject_faults(content.subject, needed=needs_subject), *_body_faults(content)]
    return invalid_fields(faults) if faults else None


def _too_large(content: Content) -> Refused | None:
    for name, body, most in (("text", content.text, limits.TEXT_SIZE), ("html", content.html, limits.HTML_SIZE)):
        if body is not None and len(body) * 4 > most and len(body.encode("utf-8", "replace")) > most:
            detail = f"At most {most} octets; send less, or attach it."
            return Refused(Code.TOO_LARGE, detail, (Fault(name, "too_large", detail),))
    return None


def _subject_faults(subject: str | None, *, needed: bool) -> list[Fault]:
    if subject is None:
        return [Fault("subject", "missing", "Write a subject; every message has one.")] if needed else []
    if not subject.strip():
        return [Fault("subject", "empty", "Write a subject; every message has one.")]
    if addresses.breaks_header(subject):
        return [Fault("subject", "control_character", "Take out line breaks and NUL characters.")]
    if len(subject.encode("utf-8", "replace")) > limits.SUBJECT_OCTETS:
        return [Fault("subject", "too_long", f"A subject has at most {limits.SUBJECT_OCTETS} octets.")]
    return []


def _body_faults(content: Content) -> list[Fault]:
    if not (content.text or "").strip() and not (content.html or "").strip():
        return [Fault("text", "empty", "Write a text (or html).")]
    named = (("text", content.text), ("html", content.html))
    return [
        Fault(name, "control_character", "Take out NUL characters.") for name, body in named if "\0" in (body or "")
    ]
