"""What is written down about a call, and the port it is written through."""

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class EventType(StrEnum):
    """The families of audit records."""

    TOOL_CALL = "tool_call"
    POLICY_DECISION = "policy_decision"
    AUTH_EVENT = "auth_event"
    ADMIN_ACTION = "admin_action"
    ELEVATION = "elevation"
    LIFECYCLE = "lifecycle"


class Status(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"
    CANCELLED = "cancelled"


class AuditRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened. Sizes in bytes, latency in milliseconds.

    `arguments` are masked; `arguments_digest` and `result_digest` prove the originals to who has
    them and the instance's digest key. `roles` and `groups` are of the caller, sorted; records made
    before these were kept have neither. `peer` is the address the call came from.
    `agent_verified` says that a credential vouches for `agent`; otherwise the client calls itself
    so. `error_message` is the private reason; no secret is ever in any field. `snapshot_version`
    stays the last, as the journal parts it from what a tenant is shown (`audit.lines.encode`).
    """

    event_id: str
    timestamp: datetime
    event_type: EventType
    action: str
    status: Status
    correlation_id: str
    tenant: str = ""
    user: str = ""
    agent: str = ""
    agent_verified: bool = False
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tool_name: str = ""
    tool_version: str = ""
    rule: str = ""
    latency_ms: float = 0.0
    request_size: int = 0
    response_size: int = 0
    error_code: str = ""
    error_message: str = ""
    arguments: object = None
    arguments_digest: str = ""
    result_digest: str = ""
    key_id: str = ""
    peer: str = ""
    metadata: dict[str, object] = {}
    snapshot_version: int = 0


class Recorder(Protocol):
    """Where records go. Order of `append` is the order on disk."""

    @property
    def healthy(self) -> bool:
        """False once a record could not be made durable; calls are refused before they act."""
        ...

    def append(self, record: AuditRecord) -> asyncio.Future[None]:
        """Queue `record`; the future is done when it is durable.

        The future raises RecordingFailed when the record could not be written. It may be
        dropped: the record is written all the same.
        """
        ...


class Observer(Protocol):
    """Learns of each finished call after it was recorded: metrics, metering."""

    def observe(self, record: AuditRecord) -> None:
        """Take note; must not block or raise."""
        ...
