"""Changes that callers subscribe to, from where they happen to who wants to know.

Source: specification 2026-07-28, basic/patterns/subscriptions.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from bascule.gateway.backchannel import Notification


class ListenFilter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a caller wants to hear of: the `notifications` member of `subscriptions/listen`."""

    tools_list_changed: bool = False
    prompts_list_changed: bool = False
    resources_list_changed: bool = False
    resource_subscriptions: tuple[str, ...] = ()
    task_ids: tuple[str, ...] = ()


class ChangeKind(StrEnum):
    """What may change, by the notification that says so."""

    TOOLS = "notifications/tools/list_changed"
    PROMPTS = "notifications/prompts/list_changed"
    RESOURCES = "notifications/resources/list_changed"
    RESOURCE = "notifications/resources/updated"
    TASK = "notifications/tasks"


class Change(NamedTuple):
    """Something changed at `upstream`; `key` is the URI, or the upstream's own task id.

    An empty `upstream` is the gateway's own catalogue. `params` of a task's notification as they
    came.
    """

    tenant: str
    upstream: str
    kind: ChangeKind
    key: str = ""
    params: bytes = b"{}"


class Feed(Protocol):
    """What follows a subscription; belongs to who opened it, and must be closed."""

    @property
    def granted(self) -> ListenFilter:
        """What will be told, of all that was wanted."""
        ...

    async def next(self) -> Notification | None:
        """Wait for the next notification; None once the gateway ends the feed."""
        ...

    async def close(self) -> None:
        """Want no more; safe to repeat."""
        ...
