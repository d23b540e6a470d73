"""Which permissions a method needs, and which scopes of an issuer bring them.

Sources: RFC 6749 section 3.3 (what a scope may be); RFC 6750 section 3.1; specification
2026-07-28, basic/authorization "Scope Selection Strategy" and "Scope Challenge Handling".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bascule.gateway.call import Method
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot

_LIST: Final = "tools:list"
_EXECUTE: Final = "tools:execute"
BASIC: Final = frozenset({_LIST, _EXECUTE})
"""What a caller needs who sees tools and calls them."""

_NOTHING: Final = frozenset[str]()
_SEES: Final = frozenset({_LIST})
_USES: Final = frozenset({_EXECUTE})
# A tool is called, and a task of one asked after, among those that are seen.
_NEEDED: Final[Mapping[Method, frozenset[str]]] = {
    Method.TOOLS_LIST: _SEES,
    Method.PROMPTS_LIST: _SEES,
    Method.RESOURCES_LIST: _SEES,
    Method.TEMPLATES_LIST: _SEES,
    Method.LISTEN: _SEES,
    Method.TOOLS_CALL: BASIC,
    Method.TASKS_GET: BASIC,
    Method.TASKS_UPDATE: BASIC,
    Method.TASKS_CANCEL: BASIC,
    Method.RESOURCES_READ: _USES,
    Method.PROMPTS_GET: _USES,
    Method.COMPLETE: _USES,
    Method.SUBSCRIBE: _USES,
    Method.UNSUBSCRIBE: _USES,
}
# What RFC 6749 takes for a scope, but for an asterisk: a scope for everything is never asked for.
_SCOPE: Final = re.compile(r"[\x21\x23-\x29\x2b-\x5b\x5d-\x7e]+")
_NEVER_ASKED: Final = frozenset({"offline_access"})
"""Not what a resource requires (basic/authorization "Refresh Tokens")."""


def needed_for(method: Method) -> frozenset[str]:
    """The permissions without which `method` does nothing for its caller."""
    return _NEEDED.get(method, _NOTHING)


def is_withheld(principal: Principal, needed: frozenset[str]) -> bool:
    """Whether only what the credential was limited to keeps its bearer from `needed`.

    False where more is missing: another credential of the same caller would not help.
    """
    if principal.withheld.isdisjoint(needed) or "system_admin" in principal.permissions:
        return False
    return needed <= principal.permissions | principal.withheld


def issuers_at(snapshot: Snapshot, host: str) -> list[Issuer]:
    """Whose tokens may be brought to `host`: at the host of one tenant, who vouches for it."""
    issuers = list(snapshot.issuers.values())
    tenant = snapshot.hosts.get(host)
    if tenant is None:
        return issuers
    return [one for one in issuers if one.tenant == tenant or tenant in one.tenants.values()]


def scopes_for(issuer: Issuer, wanted: frozenset[str]) -> tuple[str, ...]:
    """The scopes that bring all of `wanted` and the least besides; empty where none do."""
    offered = _offered(issuer)
    if not wanted or not wanted <= _NOTHING.union(*offered.values()):
        return ()
    narrowest = {
        min(_breadth(offered, (name,)) for name in offered if one in offered[name])[2][0]
        for one in wanted
    }
    whole = [(name,) for name, permissions in offered.items() if wanted <= permissions]
    return min(_breadth(offered, names) for names in [tuple(sorted(narrowest)), *whole])[2]


def scopes_at(issuers: Iterable[Issuer], wanted: frozenset[str]) -> tuple[str, ...]:
    """The scopes to ask any of `issuers` for; empty where they do not agree on them."""
    found = {scopes_for(issuer, wanted) for issuer in issuers}
    return found.pop() if len(found) == 1 else ()


def basic_scopes(issuers: Iterable[Issuer]) -> tuple[str, ...]:
    """What each of `issuers` calls as much of the basic permissions as it can bring."""
    found: set[str] = set()
    for issuer in issuers:
        brought = _NOTHING.union(*_offered(issuer).values())
        found.update(scopes_for(issuer, BASIC & brought))
    return tuple(sorted(found))


def _offered(issuer: Issuer) -> dict[str, frozenset[str]]:
    """The permissions by scope, without the scopes that are never asked for."""
    return {
        name: frozenset(permissions)
        for name, permissions in issuer.scopes.items()
        if _SCOPE.fullmatch(name) is not None and name not in _NEVER_ASKED
    }


def _breadth(
    offered: Mapping[str, frozenset[str]], names: tuple[str, ...]
) -> tuple[int, int, tuple[str, ...]]:
    """Less is better: the permissions that come with the scopes, then the scopes themselves."""
    brought = _NOTHING.union(*(offered[name] for name in names))
    return len(brought), len(names), names
