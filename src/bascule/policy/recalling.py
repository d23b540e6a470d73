"""What a record of a call tells: who called what, as decisions look at it, and what came of it."""

from collections.abc import Mapping
from typing import Final, Protocol, TypeAlias, cast

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Evidence, KeyRecord, Means, Principal
from bascule.gateway.record import Status
from bascule.gateway.rule import Effect
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Tool
from bascule.gateway.versions import choose
from bascule.policy.hypothetical import permissions_of
from bascule.policy.pinning import split_pin
from bascule.policy.tallying import Verdict

_DENIED: Final = frozenset({ErrorCode.FORBIDDEN.code, ErrorCode.TOOL_NOT_FOUND.code})

Who: TypeAlias = tuple[str, str, tuple[str, ...], tuple[str, ...], str]
"""User, verified agent, roles, groups, and the id of the API key; "" for what there is none of."""


class RecordedCall(Protocol):
    """A record of a call of a tool; the plain members are those of `AuditRecord`."""

    correlation_id: str
    tool_name: str
    tool_version: str
    user: str
    rule: str
    status: str
    error_code: str
    arguments: object
    peer: str

    @property
    def moment(self) -> float:
        """When it came, in seconds since the epoch."""
        ...

    @property
    def who(self) -> Who:
        """Who made it."""
        ...

    @property
    def shown(self) -> tuple[str, str]:
        """The bundle that lends the tool and what it calls it; "" where none does."""
        ...

    @property
    def has_grant(self) -> bool:
        """Whether it was let through by an elevation."""
        ...


def arguments_of(call: RecordedCall) -> Mapping[str, object] | None:
    """The masked arguments, None where they were not kept."""
    found = call.arguments
    return cast("dict[str, object]", found) if isinstance(found, dict) else None


def outcome_of(call: RecordedCall) -> Verdict | None:
    """What the policies of that time said; None where the call was over before they were asked."""
    if call.status == Status.DENIED and call.error_code in _DENIED:
        return Verdict(Effect.DENY, call.rule)
    if call.error_code == ErrorCode.ELEVATION_REQUIRED.code or call.has_grant:
        return Verdict(Effect.ELEVATE, call.rule)
    return Verdict(Effect.ALLOW, call.rule) if call.rule else None


def tool_of(view: TenantView, call: RecordedCall) -> Tool | None:
    """The tool as it is now, in the version that was called where that is still there."""
    bundle, shown_as = call.shown
    if bundle:
        return view.bundle_tools.get(bundle, {}).get(shown_as)
    tool = view.tools.get(call.tool_name)
    name, pin = (call.tool_name, "") if tool is not None else split_pin(call.tool_name)
    tool = tool or view.tools.get(name)
    if tool is None or (not pin and call.tool_version in {"", tool.version}):
        return tool
    versions = view.versions.get(name, ())
    called = next((one for one in versions if one.version == call.tool_version), None)
    return called or choose(versions, pin) or tool


def caller_of(
    view: TenantView, call: RecordedCall, key: KeyRecord | None, user_id: str | None
) -> Principal:
    """Who made `call`, with what the roles of then permit now.

    `key` is the one it was made with, where that is still there: what it was limited to counts.
    """
    user, agent, roles, groups, key_id = call.who
    permissions = permissions_of(view, roles)
    if key is not None:
        permissions -= key.principal.withheld
    evidence = None if key_id else Evidence(Means.TOKEN, view.tenant, "", user, user)
    return Principal(
        tenant=view.tenant,
        subject=user,
        roles=frozenset(roles),
        permissions=permissions,
        key_id=key_id or None,
        agent=agent or None,
        groups=frozenset(groups),
        user_id=user_id,
        evidence=evidence,
    )
