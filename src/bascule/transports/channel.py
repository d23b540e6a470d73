"""A shared channel as its calls see it: who is at the other end, its bounds, and its session."""

import secrets
import time
from dataclasses import dataclass, field

import msgspec

from bascule.gateway.call import Call, Endpoint
from bascule.gateway.principal import Certificate
from bascule.gateway.session import Session, SessionOwner


@dataclass(frozen=True, slots=True)
class DuplexConfig:
    """Bounds of one channel. `most_calls` are at work at once; then nothing more is read."""

    max_message_bytes: int = 1_048_576
    request_timeout_seconds: float = 30.0
    keep_alive_seconds: float = 15.0
    most_calls: int = 64
    most_feeds: int = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end. Every message is judged by credential and certificate anew."""

    endpoint: Endpoint
    peer: str
    credential: str | None = field(default=None, repr=False)
    certificate: Certificate | None = None
    host: str = ""
    resource: str = ""


def join(call: Call, session: Session | None) -> None:
    """Make `call` one of `session`, or of none."""
    if session is not None:
        call.version, call.capabilities = session.version, session.capabilities
    if call.more.session is not session:
        call.more = msgspec.structs.replace(call.more, session=session)


def agreed(call: Call) -> Session | None:
    """The session that an `initialize` began; it is as long as the channel."""
    if call.principal is None:
        return None
    return Session(
        session_id=secrets.token_urlsafe(24),
        owner=SessionOwner.of(call.principal),
        version=call.version,
        endpoint=f"{call.endpoint.kind}:{call.endpoint.name}",
        capabilities=call.capabilities,
        agent=call.agent or "",
        issued_at=int(time.time()),
    )
