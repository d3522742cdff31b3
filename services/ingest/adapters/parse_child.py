"""The killable child that reads mails: `python -m services.ingest.adapters.parse_child`, one mail a request.

Here the pure rules meet what may never return: the HTML sanitiser, and `flufl.bounce` for reports without RFC 3464.
"""

from __future__ import annotations

from services.ingest.adapters.parsed_frames import packed
from services.ingest.adapters.prose_bounces import bounced
from services.ingest.domain.mail_reading import Tools, read
from services.kit.children import serve
from services.kit.sanitiser import Profile, TooDeep, TooLarge, clean
from services.kit.text import to_text


def cleaned(html: str) -> tuple[str, int] | None:
    """The HTML as it may be shown and its remote images; None where it is nested too deeply to be cleaned."""
    try:
        found = clean(html, Profile.INBOUND)
    except (TooDeep, TooLarge):
        return None
    return found.html, found.remote_images


TOOLS = Tools(clean=cleaned, to_text=to_text, bounced=bounced)


def work(request: bytes) -> bytes:
    """One mail's octets in, one `Parsed` in frames out."""
    return packed(read(request, TOOLS))


if __name__ == "__main__":
    serve(work)
