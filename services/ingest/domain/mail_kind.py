"""Whether a machine wrote it, from headers alone (RFC 3834, 3464, 5965, 8098, 2369, 2919); pure and table-driven."""

from __future__ import annotations

import re

from services.ingest.domain.mail_headers import Headers
from services.ingest.domain.mail_ids import message_ids
from services.ingest.domain.mail_params import Structured
from services.ingest.domain.parsed import Auto, Trail

MOST_HOPS = 50
"""More Received than any sound way has; a loop adds one each time (RFC 5321 section 6.3 wants at least 100 allowed)."""
_SAME_DELIVERY = 4
_KEYWORD = re.compile(r"[\w-]{1,100}")

_LIST = ("list-id", "list-post", "list-unsubscribe", "list-help", "list-subscribe", "list-owner", "list-archive")
_ANSWERING = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoreply-from",
    "x-autoresponse",
    "x-mail-autoreply",
    "x-vacation",
    "autoresponder",
)
_LOOPS = ("x-loop", "x-loop-detect", "x-original-to-loop")
_ANSWER_SUBJECT = re.compile(
    r"\s*(?:re|aw|sv|antw)?:?\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer)|out of (?:the )?office|ooo\b"
    r"|automatische antwort|abwesenheit|auto:|respuesta autom|resposta autom|réponse autom|risposta autom"
    r"|automatisch antwoord|autosvar|automatiskt svar|automaattinen vastaus|automatyczna odpowied"
    r"|fora do escrit|ausente|absence|vacation|автоответ|自动回复|自動回覆|自動返信|자동 회신)",
    re.IGNORECASE,
)
_BOUNCE_SENDER = re.compile(r"(?:mailer[-_ ]?daemon|mail[-_]?daemon|postmaster|mdaemon|mmdf|uucp)(?:[+@.-]|$)", re.I)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|non[- ]?deliver|not delivered|failure notice|delivery (?:status|fail|problem|notif|err|has failed)"
    r"|returned (?:mail|to sender|e-?mail)|mail (?:delivery|system error|failure)|(?:message|mail|e-?mail) delayed"
    r"|could ?n[o']t be delivered|delivery.{0,20}delayed|unzustellbar|nicht zugestellt|no se puede entregar"
    r"|não (?:foi )?entregue|non remis|mancata consegna|niet bezorgd|warning: (?:message|could not send)",
    re.IGNORECASE,
)


def trail(headers: Headers) -> Trail:
    """What the headers tell of the way, for lists, absence notes and loops."""
    return_path = headers.first("return-path").strip()
    return Trail(
        auto_submitted=_keyword(headers.text("auto-submitted")),
        precedence=headers.text("precedence").lower()[:100],
        list_id=headers.text("list-id")[:500],
        return_path=return_path.strip("<> ")[:320] if return_path else None,
        delivered_to=_each(headers, ("delivered-to",)),
        loops=_each(headers, _LOOPS),
        hops=len(headers.each("received")),
    )


def _keyword(value: str) -> str:
    """`auto-replied` of `auto-replied (vacation)` (RFC 3834 section 5)."""
    found = _KEYWORD.match(value)
    return found[0].lower() if found else ""


def _each(headers: Headers, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.strip("<> \t").lower()[:320] for name in names for value in headers.each(name)[:20])


def auto(headers: Headers, way: Trail, kind: Structured, *, bounced: bool) -> Auto:
    """The kind of machine, `none` for a person; what is more telling wins."""
    if bounced:
        return "bounce"
    if _goes_round(way):
        return "loop"
    if _answers(headers, way, kind):
        return "auto-reply"
    if any(name in headers.fields for name in _LIST) or way.precedence == "list":
        return "list"
    return "other" if _machine(headers, way, kind) else "none"


def _goes_round(way: Trail) -> bool:
    repeated = max((way.delivered_to.count(each) for each in way.delivered_to), default=0)
    return way.hops > MOST_HOPS or repeated >= _SAME_DELIVERY


def _answers(headers: Headers, way: Trail, kind: Structured) -> bool:
    """RFC 3834 section 5; others say it in headers of their own, or generate something with such a subject."""
    if way.auto_submitted == "auto-replied" or _reports(kind, "disposition-notification"):
        return True
    if way.precedence in ("auto_reply", "auto-reply") or any(name in headers.fields for name in _ANSWERING):
        return True
    generated = way.auto_submitted == "auto-generated" or "x-auto-response-suppress" in headers.fields
    if generated and message_ids(headers.first("in-reply-to")) and not any(name in headers.fields for name in _LIST):
        return True
    hints = generated or way.return_path == "" or way.precedence in ("bulk", "junk")
    return hints and bool(_ANSWER_SUBJECT.match(headers.text("subject")))


def _machine(headers: Headers, way: Trail, kind: Structured) -> bool:
    """Written by a machine, but no answer: a notification, a feedback report (RFC 5965), bulk mail."""
    return (
        way.auto_submitted not in ("", "no")
        or way.precedence in ("bulk", "junk")
        or "feedback-id" in headers.fields
        or _reports(kind, "feedback-report")
    )


def _reports(kind: Structured, report: str) -> bool:
    return kind.value == "multipart/report" and kind.params.get("report-type", "").lower() == report


def suspected_bounce(headers: Headers, sender: str) -> bool:
    """Whether it looks like a delivery report of a server that does not know RFC 3464."""
    if "x-failed-recipients" in headers.fields:
        return True
    subject = headers.text("subject")
    if headers.first("auto-submitted")[:12].lower() == "auto-replied" and _ANSWER_SUBJECT.match(subject):
        return False
    from_server = bool(_BOUNCE_SENDER.match(sender)) or headers.first("return-path") == "<>"
    return from_server and bool(_BOUNCE_SUBJECT.search(subject) or _BOUNCE_SENDER.match(sender))
