"""deploy/compose.yaml with the project's own image: everybody unprivileged, and the story's first steps hold."""

from __future__ import annotations

import asyncio
import imaplib
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import demo
from deploy.local.api import Api
from deploy.local.demo_desk import MAILBOXES, NAMES, OPERATORS, PASSWORD, TENANT
from deploy.local.infra.mail import add_user
from deploy.local.issuer import OPERATOR_SCOPES, OWNER_SCOPES, PLATFORM_SCOPES
from deploy.local.mailbox import Mailbox
from deploy.local.scene import Scene
from tests.infra.composed import Composed, available

pytestmark = pytest.mark.skipif(not available(), reason="needs containers: deploy/images/prepare.sh, then MALOTE_INFRA")
STEPS = (
    demo.connects_an_account, demo.writes_signatures, demo.starts_a_conversation, demo.a_colleague_answers,
    demo.interrupts_another,
)  # fmt: skip
"""The demonstration's first steps: those that kill nothing and need no mail from outside."""
SERVICES = ("config", "signature", "outbox", "ingest", "gateway")


class PlainMailbox(Mailbox):
    """In clear text: the sandbox's certificate is nobody's in compose."""

    def _read(self) -> list[EmailMessage]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as server:
            server.login(self.user, self.password)
            server.select("INBOX", readonly=True)
            return [self._fetch(server, one.decode()) for one in server.search(None, "ALL")[1][0].split()]


class ComposedScene(Scene):
    """The demonstration, where the mail server has the name that services know it by."""

    def mailbox(self, role: str) -> Mailbox:
        login = self.run["mailboxes"][role]
        return PlainMailbox(self.run["imap"]["port"], login["user"], login["password"], self.ca_file)

    async def connect(self) -> dict[str, Any]:
        await add_user(self.run["mail_api"], self.address, PASSWORD)
        login = {"host": "mail.sandbox.test", "security": "none", "user_name": self.address, "secret": PASSWORD}
        made: dict[str, Any] = await self.api("owner").post("/v1/channels", {
            "name": f"Orders {self.mark}", "address": self.address, "sender_name": "Acme",
            "undo_seconds": self.undo_seconds, "imap": {**login, "port": 3143}, "smtp": {**login, "port": 3025},
        })  # fmt: skip
        self.channel = made["channel_id"]
        return made


@pytest.fixture(scope="module")
def composed(request: pytest.FixtureRequest) -> Iterator[Composed]:
    """All of it; where a test failed, what the services said last."""
    with Composed() as stack:
        for service in SERVICES:
            stack.until_healthy(service)
        yield stack
        if request.session.testsfailed:
            for service in SERVICES:
                print(f"--- {service}\n{stack.said(service)}")


def token(stack: Composed, scopes: tuple[str, ...], operator: str | None = None) -> str:
    """From the issuer of the stack."""
    asked = {"tenant": TENANT, "scope": " ".join(scopes), "sub": operator or "platform", "operator": operator}
    answer = httpx.post(f"{stack.url('issuer', 8090)}/token", json=asked)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
async def scene(composed: Composed, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    gateway, mail_api = composed.url("gateway", 8080), composed.url("mail", 8080)
    tokens = {name: token(composed, OPERATOR_SCOPES, one) for name, one in OPERATORS.items()}
    tokens["owner"] = token(composed, OWNER_SCOPES, OPERATORS["ana"])
    platform = Api(gateway, token(composed, PLATFORM_SCOPES))
    await platform.put(f"/v1/tenants/{TENANT}", {"name": "Acme", "email_enabled": True, "max_channels": 5})
    for name, identity in OPERATORS.items():
        body = {"name": NAMES[name], "email": f"{name}@acme.test", "active": True}
        await Api(gateway, tokens["owner"]).put(f"/v1/operators/{identity}", body)
    for address in MAILBOXES.values():
        await add_user(mail_api, address, PASSWORD)
    mailboxes = {role: {"address": at, "user": at, "password": PASSWORD} for role, at in MAILBOXES.items()}
    run = {
        "gateway": gateway, "tokens": tokens, "operators": OPERATORS, "mailboxes": mailboxes, "mail_api": mail_api,
        "imap": {"port": composed.port("mail", 3143)}, "smtp": {"port": composed.port("mail", 3025)}, "pids": {},
    }  # fmt: skip
    return ComposedScene(run, Path(tmp_path_factory.getbasetemp()))


@pytest.mark.parametrize("service", [*SERVICES, "issuer"])
def test_it_runs_as_nobody_in_particular(composed: Composed, service: str) -> None:
    container = composed.containers[service]
    status: Any = container.exec_run(["cat", "/proc/1/status"]).output
    said = dict(line.split(":", 1) for line in status.decode().splitlines() if ":" in line)
    assert set(said["Uid"].split()) == {"10001"}
    assert int(said["CapEff"], 16) == int(said["CapBnd"], 16) == 0
    assert said["NoNewPrivs"].strip() == "1"
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x')"
    for place in ("/app/x", "/opt/malote/x", "/keys/x", "/x"):
        refused: Any = container.exec_run(["python", "-c", code, place])
        assert refused.exit_code != 0
        assert b"Read-only" in refused.output or b"Permission denied" in refused.output, refused.output
    assert container.exec_run(["python", "-c", code, "/tmp/x"]).exit_code == 0


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_the_story_holds(scene: Scene, step: Any) -> None:
    await step(scene)


async def test_a_person_signs_in_at_the_console(composed: Composed, scene: Scene) -> None:
    async with httpx.AsyncClient(base_url=composed.url("gateway", 8080), headers={"accept": "text/html"}) as browser:
        assert "Ana Prado" in (await browser.get("/sign-in")).text
        answer = await browser.post("/sign-in", data={"person": "ana", "to": "/c"})
        assert answer.status_code == 303, answer.text
        assert f"Your order {scene.mark}" in (await browser.get("/c")).text


async def test_a_killed_service_comes_back(composed: Composed, scene: Scene) -> None:
    """Compose restarts it by its policy; here we do: what counts is that it goes on with the same name."""
    outbox = composed.containers["outbox"]
    message = await scene.send("ana", f"In spite of it {scene.mark}", "This one outlives a crash.")
    await scene.until(message, "queued")
    outbox.kill()
    await asyncio.to_thread(outbox.wait)
    began = time.monotonic()
    outbox.start()
    await scene.until(message, "sent", within_s=60)
    assert time.monotonic() - began < 60
    assert len(await scene.arrived("client", f"In spite of it {scene.mark}")) == 1
