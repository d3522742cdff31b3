"""The signature's editor: pictures, links, variables, the preview, two people saving at once, nothing lost."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from playwright.sync_api import Browser, Page, expect

from contracts import limits
from tests.browser.shots import sign_in
from tests.browser.stage import Stage
from tests.unit.gateway.world import ANA, CHANNEL, TENANT

PAGE = f"/settings/channels/{CHANNEL}?operator={ANA}"


def png(side: int = 4) -> bytes:
    """A red square."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + b"\xff\0\0" * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def editor(page: Page, stage: Stage) -> Page:
    """Ana's signature, empty, with the service that owns signatures behind it."""
    stage.scenery.owner_signs()
    sign_in(page, stage)
    page.goto(stage.url + PAGE)
    page.fill("#html", "")
    return page


def test_a_picture_is_inserted_shown_and_kept(editor: Page, stage: Stage) -> None:
    editor.fill("#html", "Ana\n")
    with editor.expect_file_chooser() as asked:
        editor.click("[data-choose=pic]")
    asked.value.set_files({"name": 'Logo "azul" <1>.png', "mimeType": "image/png", "buffer": png(400)})
    expect(editor.locator("#html")).to_have_value("Ana\n" + _img(editor, 'alt="Logo azul 1" width="320"'))
    shown = editor.frame_locator("iframe.pv").locator("img")
    expect(shown).to_have_js_property("naturalWidth", 400)
    expect(shown).to_have_js_property("width", 320)
    assert editor.locator("iframe.pv").evaluate("f => f.clientHeight") > 320
    editor.click("#sig .btn.go")
    expect(editor.locator(".note.ok")).to_be_visible()
    expect(editor).to_have_url(stage.url + PAGE)  # so that a reload says nothing of saving, and forgets no draft
    editor.reload()
    expect(editor.frame_locator("iframe.pv").locator("img")).to_have_js_property("complete", True)
    expect(editor.frame_locator("iframe.pv").locator("img")).to_have_js_property("naturalWidth", 400)


def _img(page: Page, rest: str) -> str:
    """The tag with whatever id the picture got."""
    expect(page.locator("#html")).to_have_value(re.compile("blob:"))
    blob_id = page.input_value("#html").partition("blob:")[2][:36]
    return f'<img src="blob:{blob_id}" {rest}>'


@pytest.mark.parametrize(
    ("octets", "said"),
    [(b"<svg xmlns='x'/>", "PNG, JPEG"), (png()[:8] + b"0" * limits.SIGNATURE_IMAGE, "more than 200 KB")],
)
def test_what_is_no_picture_for_a_mail_is_said(editor: Page, octets: bytes, said: str) -> None:
    editor.fill("#html", "Fica")
    editor.set_input_files("#pic", files={"name": "x.png", "mimeType": "image/png", "buffer": octets})
    expect(editor.locator("#pic-e")).to_contain_text(said)
    expect(editor.locator("#html")).to_have_value("Fica")


PASTE = """octets => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(octets)], 'p.png', { type: 'image/png' }));
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: held, bubbles: true }));
}"""


def test_a_picture_can_be_pasted(editor: Page) -> None:
    editor.focus("#html")
    editor.evaluate(PASTE, list(png()))
    expect(editor.locator("#html")).to_have_value(_img(editor, 'alt="p" width="4"'))


def test_a_link_a_mark_and_a_variable(editor: Page) -> None:
    editor.fill("#html", "Loja")
    editor.locator("#html").select_text()
    editor.click("[data-mark=a]")
    editor.keyboard.type("https://loja.example")  # the address is chosen already
    expect(editor.locator("#html")).to_have_value('<a href="https://loja.example">Loja</a>')
    editor.press("#html", "End")
    editor.select_option("[data-var]", "operator.name")
    editor.click("[data-mark=b]")
    editor.keyboard.type("!")
    expect(editor.locator("#html")).to_have_value('<a href="https://loja.example">Loja</a>{{ operator.name }}<b>!</b>')
    frame = editor.frame_locator("iframe.pv")
    expect(frame.locator("a[href='https://loja.example']")).to_have_text("Loja")
    expect(frame.locator("body")).to_contain_text("Ana Beatriz Lemos!")


@pytest.mark.parametrize("address", ["https://tracker.test/x.png", "data:image/png;base64,AA==", "blob:{foreign}"])
def test_other_images_are_refused_in_words(editor: Page, stage: Stage, address: str) -> None:
    foreign = stage.run(_upload(stage, "umbrella"))
    editor.fill("#html", f'<img src="{address.format(foreign=foreign)}">')
    expect(editor.locator("#preview .err")).to_contain_text("no longer there" if "blob:" in address else "Take out")
    assert TENANT != "umbrella"


async def _upload(stage: Stage, tenant: str) -> str:
    async def octets() -> AsyncIterator[bytes]:
        yield png()

    return (await stage.scenery.world.files.keep(tenant, "x", "image/png", octets())).blob_id


def test_two_administrators_really_save_at_once(browser: Browser, editor: Page, stage: Stage) -> None:
    other = browser.new_context(locale="pt-BR").new_page()
    sign_in(other, stage, "ana")
    other.goto(stage.url + PAGE)
    other.fill("#html", "A segunda")
    editor.fill("#html", "A primeira")
    editor.click("#sig .btn.go")
    expect(editor.locator(".note.ok")).to_be_visible()
    other.click("#sig .btn.go")
    note = other.locator(".note.clock")
    expect(note).to_contain_text("A primeira")
    expect(note).to_contain_text("A segunda")
    other.goto(f"{stage.url}/c")  # gone without deciding: it is still there, and still a conflict
    other.goto(stage.url + PAGE)
    expect(other.locator("#html")).to_have_value("A segunda")
    other.click("#sig .btn.go")
    expect(other.locator(".note.ok")).to_be_visible()
    other.reload()
    expect(other.locator("#html")).to_have_value("A segunda")
    other.context.close()


def test_a_draft_begun_before_somebody_saved_tells_of_it(browser: Browser, editor: Page, stage: Stage) -> None:
    editor.fill("#html", "Meu rascunho")
    expect(editor.locator("#sig [data-saved]")).to_contain_text("Draft saved")
    editor.goto(f"{stage.url}/c")
    other = browser.new_context(locale="en").new_page()
    sign_in(other, stage, "rui")
    other.context.close()
    stage.run(stage.scenery.sign(ANA, "De outra pessoa", "rui", 99))
    editor.goto(stage.url + PAGE)
    expect(editor.locator("#html")).to_have_value("Meu rascunho")
    editor.click("#sig .btn.go")
    expect(editor.locator(".note.clock")).to_contain_text("De outra pessoa")
    editor.click("[data-discard] >> nth=0")
    expect(editor.locator("#html")).to_have_value("De outra pessoa")
    editor.reload()
    expect(editor.locator("#html")).to_have_value("De outra pessoa")
