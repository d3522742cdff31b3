"""The gateway's use cases, one a file, and all of them composed."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.change_channel import ChangeChannel
from services.gateway.handlers.count_waiting import CountWaiting
from services.gateway.handlers.create_channel import CreateChannel
from services.gateway.handlers.follow_changes import FollowChanges
from services.gateway.handlers.interrupt_message import InterruptMessage
from services.gateway.handlers.keep_draft import KeepDraft
from services.gateway.handlers.keep_file import KeepFile
from services.gateway.handlers.mark_sent import MarkSent
from services.gateway.handlers.preview_signature import PreviewSignature
from services.gateway.handlers.project_inbound import ProjectInbound
from services.gateway.handlers.project_message import ProjectMessage
from services.gateway.handlers.project_settings import ProjectSettings
from services.gateway.handlers.publish_again import PublishOverdue
from services.gateway.handlers.publish_current import PublishCurrent
from services.gateway.handlers.put_operator import PutOperator
from services.gateway.handlers.put_signature import PutSignature
from services.gateway.handlers.put_tenant import PutTenant
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.handlers.read_conversation import ReadConversation
from services.gateway.handlers.read_message import ReadMessage
from services.gateway.handlers.reconnect_channel import ReconnectChannel
from services.gateway.handlers.remove_channel import RemoveChannel
from services.gateway.handlers.resend_message import ResendMessage
from services.gateway.handlers.send_message import SendMessage
from services.gateway.handlers.set_aside import SetAside
from services.gateway.handlers.start_conversation import StartConversation


@dataclass(frozen=True, slots=True)
class Handlers:
    """The use cases, composed."""

    send: SendMessage
    start: StartConversation
    interrupt: InterruptMessage
    resend: ResendMessage
    mark: MarkSent
    message: ReadMessage
    conversation: ReadConversation
    waiting: CountWaiting
    tenant: PutTenant
    operator: PutOperator
    channel: ReadChannel
    create: CreateChannel
    change: ChangeChannel
    remove: RemoveChannel
    reconnect: ReconnectChannel
    signature: PutSignature
    preview: PreviewSignature
    wish: AskOwner
    project: ProjectMessage
    inbound: ProjectInbound
    aside: SetAside
    file: KeepFile
    draft: KeepDraft
    follow: FollowChanges
    settings: ProjectSettings
    overdue: PublishOverdue
    current: PublishCurrent
