"""Whether a call may be sent once more, and when.

The way of a call that succeeds never comes here. Source: RFC 9110 sections 9.2 (safe and idempotent
methods), 10.2.3 (Retry-After), 15.6 (server errors).
"""

from collections.abc import Callable
from typing import Final

from bascule.gateway.call import Call, Result
from bascule.gateway.connector import Retry
from bascule.gateway.errors import (
    GatewayError,
    UpstreamCut,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import ParameterLocation, RestSource, RiskLevel, Tool

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
_IDEMPOTENT_WRITES: Final = frozenset({"PUT", "DELETE"})
_FOR_GOOD: Final = frozenset({501, 505})
"""Server errors that say "never", not "not now"."""
_KEY_HEADERS: Final = frozenset({"idempotency-key", "x-idempotency-key"})


def is_failure(outcome: Result | GatewayError) -> bool:
    """Whether `outcome` says that the upstream is unwell: no connection, no answer, or a 5xx.

    What it says of the call alone (4xx, an answer too large) does not: callers could shut off an
    upstream for everybody by asking for that.
    """
    if isinstance(outcome, Result):
        return outcome.upstream_status >= 500 and outcome.upstream_status not in _FOR_GOOD
    return isinstance(outcome, UpstreamUnreachable | UpstreamTimeout | UpstreamCut)


def may_repeat(call: Call, outcome: Result | GatewayError) -> bool:
    """Whether sending `call` again can do no harm, and may do better."""
    if isinstance(outcome, UpstreamUnreachable):
        return True  # nothing was sent
    passing = is_failure(outcome) or retry_after_seconds(outcome) is not None
    return passing and call.tool is not None and is_repeatable(call.tool, call)


def is_repeatable(tool: Tool, call: Call) -> bool:
    """Whether doing it twice does no more than once, and nobody need mind that it was.

    A tool that reads by a safe method, one that is marked idempotent, or one whose upstream takes
    an idempotency key, and is sent one. PUT and DELETE count as idempotent by their method alone
    (RFC 9110 section 9.2.2), which is no promise of the service: they need the key.
    """
    source = tool.source
    if not isinstance(source, RestSource):
        return tool.idempotent
    if tool.idempotent and (source.method not in _IDEMPOTENT_WRITES or call.idempotency_key):
        return True
    # A GET that its owner says does more than read is taken at that word.
    if source.method in _SAFE_METHODS and tool.risk is RiskLevel.READ:
        return True
    return any(
        one.location is ParameterLocation.HEADER
        and one.name.lower() in _KEY_HEADERS
        and bool(call.arguments.get(one.argument))
        for one in source.parameters
    )


def retry_after_seconds(outcome: Result | GatewayError) -> float | None:
    """When an upstream that takes no more for now wants to be asked again; None unless it said."""
    if not isinstance(outcome, UpstreamRateLimited):
        return None
    seconds = outcome.details.get("retry_after_seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def pause_seconds(
    rule: Retry, tries: int, outcome: Result | GatewayError, chance: Callable[[], float]
) -> float | None:
    """How long to wait after `tries` tries; None where no other one is made.

    Doubles from `rule.first_seconds` up to `rule.cap_seconds`; of each, at least half is waited,
    and the rest by `chance` (0 to 1), so that callers do not come back all at once. Never shorter
    than the upstream asked for, and nothing where it asked for more than the cap.
    """
    if tries >= rule.attempts:
        return None
    wanted = min(rule.cap_seconds, rule.first_seconds * 2.0 ** (tries - 1))
    pause = wanted * (0.5 + chance() / 2)
    asked = retry_after_seconds(outcome)
    if asked is None:
        return pause
    return None if asked > rule.cap_seconds else max(asked, pause)
