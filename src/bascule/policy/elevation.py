"""Elevation without its surroundings: what a grant covers, whose it is, and what may become of it.

Nothing here asks anybody. A grant belongs to a `Holder` and has a `Scope`; a call has the scopes of
`scopes_of`, any of which covers it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, cast

from bascule.gateway.digests import Digest
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import InvalidValue
from bascule.gateway.principal import Person, Principal
from bascule.gateway.tool import Tool


class ElevationStatus(StrEnum):
    """How a request stands. `approved` is live until its time is over."""

    PENDING = "pending"
    APPROVED = "approved"
    USED = "used"
    DENIED = "denied"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    EXPIRED = "expired"


TRANSITIONS: Final[Mapping[ElevationStatus, frozenset[ElevationStatus]]] = MappingProxyType(
    {
        ElevationStatus.PENDING: frozenset(
            {
                ElevationStatus.APPROVED,
                ElevationStatus.DENIED,
                ElevationStatus.CANCELLED,
                ElevationStatus.EXPIRED,
            }
        ),
        ElevationStatus.APPROVED: frozenset(
            {ElevationStatus.USED, ElevationStatus.REVOKED, ElevationStatus.EXPIRED}
        ),
        ElevationStatus.USED: frozenset(),
        ElevationStatus.DENIED: frozenset(),
        ElevationStatus.CANCELLED: frozenset(),
        ElevationStatus.REVOKED: frozenset(),
        ElevationStatus.EXPIRED: frozenset(),
    }
)
"""What may follow each status: this is their one address."""


class Step(StrEnum):
    """What happens to a request or grant, as records and metrics name it."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED = "used"
    CHALLENGED = "challenged"
    """A call was held back for want of a grant."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who calls with a grant: the same for all sessions and personal keys of one person.

    `owner` is `Principal.owner`, `subject` the name in records. `key_id` is set for the key of a
    service only: names of such keys are given again, and the next key holds nothing of the last.
    """

    owner: str
    subject: str
    user_id: str | None = None
    key_id: str = ""


def holder_of(principal: Principal) -> Holder:
    """Whom grants of `principal` belong to."""
    owner = principal.owner
    key_id = (principal.key_id or "") if owner.startswith("key|") else ""
    return Holder(owner, principal.subject, principal.user_id, key_id)


def may_follow(status: ElevationStatus, wanted: ElevationStatus) -> bool:
    """Whether what stands at `status` may become `wanted`."""
    return wanted in TRANSITIONS[status]


def names_of(principal: Principal, people: Mapping[tuple[str, str], Person]) -> frozenset[str]:
    """All that a caller may be known by, so that nobody decides about their own request.

    `people` are those of the tenant: who had no account yet when they asked has one later.
    """
    found = {principal.owner, named(principal.subject)}
    if principal.evidence is not None:
        found.add(f"token|{principal.evidence.issuer}|{principal.evidence.subject}")
    if principal.user_id is not None:
        found.add(f"user|{principal.user_id}")
        for (issuer, subject), person in people.items():
            if person.user_id == principal.user_id:
                found |= {f"token|{issuer}|{subject}", named(person.name)}
    return frozenset(found)


def named(subject: str) -> str:
    """A name in records, to be compared: two that differ in case only count as one."""
    return f"name|{subject.casefold()}"


def canonical_name(tool: Tool) -> str:
    """The name that grants know `tool` by: its own, whatever a bundle calls it."""
    return tool.name if tool.home is None else tool.home.name


def exact_name(tool: Tool) -> str:
    """The name that a call of `tool` is digested with: who agrees to a call of one version has not
    agreed to what another one does."""
    return f"{canonical_name(tool)}@{tool.version}"


def bundles_of(tool: Tool) -> tuple[str, ...]:
    """The bundles of which a grant covers `tool`: where it is shown, and where it is at home."""
    if tool.home is None or tool.home.bundle == tool.bundle:
        return (tool.bundle,)
    return (tool.bundle, tool.home.bundle)


def call_digest(digest: Digest, tool: Tool, arguments: Mapping[str, object]) -> str:
    """The digest of a call with `arguments`, those that a bundle fixes included.

    Raises:
        InvalidValue: as `arguments_digest`.
    """
    return arguments_digest(digest, exact_name(tool), {**arguments, **tool.defaults})


def arguments_digest(digest: Digest, tool: str, arguments: Mapping[str, object]) -> str:
    """The digest of one call of `tool`, by its exact name.

    `digest` should be keyed: arguments are often easy to guess.

    Equal as JSON is equal here: neither the order of members nor the way a number is written
    counts (1 is 1.0, and no boolean).

    Raises:
        InvalidValue: they are nested too deeply, or hold what is not JSON.
    """
    try:
        text = json.dumps(
            [tool, _canonical(dict(arguments))],
            allow_nan=False,
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        ).encode()
    except (RecursionError, ValueError, TypeError):
        raise InvalidValue(
            "The arguments are nested too deeply, or hold what is not JSON, so that no approval "
            "can be tied to them.",
            details={"field": "arguments"},
        ) from None
    return digest(text)


def _canonical(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return {name: _canonical(member) for name, member in members.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in cast("Sequence[object]", value)]
    return value


def scopes_of(tool: Tool, digest: str) -> tuple[Scope, ...]:
    """Every scope that covers a call of `tool` with the arguments of `digest`.

    The scope of one call comes last: it is used up, and only where nothing else covers the call.
    """
    name = canonical_name(tool)
    bundles = (Scope(ScopeKind.BUNDLE, bundle) for bundle in bundles_of(tool))
    return (Scope(ScopeKind.TOOL, name), *bundles, Scope(ScopeKind.CALL, name, digest))


_WORDS: Final = MappingProxyType(
    {
        ScopeKind.CALL: "one call of {name}",
        ScopeKind.TOOL: "the tool {name}",
        ScopeKind.BUNDLE: "the bundle {name}",
    }
)
_WIDTH: Final = MappingProxyType({ScopeKind.CALL: 0, ScopeKind.TOOL: 1, ScopeKind.BUNDLE: 2})


def words_of(scope: Scope) -> str:
    """`scope` for people, who have no use for a digest."""
    return _WORDS[scope.kind].format(name=scope.name)


def narrowed(asked: Scope, kind: ScopeKind, tool: str, digest: str) -> Scope:
    """The part of `asked` that is of `kind`: of a bundle one tool, of a tool one call.

    Raises:
        InvalidValue: that would be more than was asked for, or nobody knows which call is meant.
    """
    if kind is asked.kind:
        return asked
    if _WIDTH[kind] > _WIDTH[asked.kind]:
        raise InvalidValue(
            f"The request is for {words_of(asked)}; an approval may grant less, but never more.",
            details={"field": "scope"},
        )
    if not tool:
        raise InvalidValue(
            f"The request is for all of {asked.name}. Name the tool that is granted.",
            details={"field": "tool"},
        )
    if kind is ScopeKind.TOOL:
        return Scope(ScopeKind.TOOL, tool)
    if not digest:
        raise InvalidValue(
            "The request did not come from a call, so it cannot be narrowed to one. Deny it, and "
            "let the caller ask for the call.",
            details={"field": "scope"},
        )
    return Scope(ScopeKind.CALL, tool, digest)


def live_key(tenant: str, owner: str, scope: Scope) -> str:
    """Where the live grant is in the state store: `elevation:{tenant}/{owner}:{scope}`.

    No two triples have one key: colons of the owner are written `%3A`, as in URLs.
    """
    quoted = owner.replace("%", "%25").replace(":", "%3A")
    return f"elevation:{tenant}/{quoted}:{scope.text}"


def spent_key(tenant: str, grant_id: str) -> str:
    """Where it says that a grant is used up or revoked, whatever is at its `live_key`."""
    return f"elevation-spent:{tenant}/{grant_id}"


def continued_key(tenant: str, grant_id: str, digest: str) -> str:
    """Where it says that a call went on with the state of this digest."""
    return f"elevation-continued:{tenant}/{grant_id}:{digest}"


def shortened(masked: object, most_bytes: int) -> object:
    """`masked` arguments that take at most `most_bytes` of JSON; members beyond are counted."""
    if _size(masked) <= most_bytes or not isinstance(masked, dict):
        return masked
    members = cast("dict[str, object]", masked)
    kept: dict[str, object] = {}
    room = most_bytes - 40
    for name, value in members.items():
        room -= _size({name: value})
        if room < 0:
            break
        kept[name] = value
    kept["…"] = f"{len(members) - len(kept)} more members"
    return kept


def _size(value: object) -> int:
    return len(json.dumps(value))
