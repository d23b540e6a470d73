"""Which MCP servers an endpoint speaks for."""

from collections.abc import Sequence

from bascule.gateway.call import Endpoint, EndpointKind
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import MCP_KINDS, Upstream
from bascule.gateway.whom import concerns


def is_relayed(upstream: Upstream) -> bool:
    """Whether what `upstream` offers is listed live, as it is an MCP server."""
    return upstream.kind in MCP_KINDS


def may_know(view: TenantView, principal: Principal, server: str) -> bool:
    """Whether a rule could show the caller anything of `server`.

    Where none could, the server does not exist for it: neither its name nor its state is told.
    """
    if not principal.may("tools:list"):
        return False
    if not principal.roles.isdisjoint({"admin", "system_admin"}):
        return True
    return view.is_judged_elsewhere or any(
        _gives(rule)
        and Action.DISCOVER in rule.actions
        and concerns(rule, principal)
        and (not rule.bundles or server in rule.bundles)
        for rule in view.rules
    )


def _gives(rule: Rule) -> bool:
    if rule.kind in {RuleKind.RBAC, RuleKind.CONDITION}:
        return rule.effect is Effect.ALLOW
    return rule.kind in {RuleKind.ALLOW_LIST, RuleKind.REGO}


def behind(view: TenantView, endpoint: Endpoint) -> tuple[str, ...]:
    """The MCP servers behind `endpoint`, by name. Each is a bundle of its own name, too."""
    if endpoint.kind is not EndpointKind.ALL:
        found = view.upstreams.get(endpoint.name)
        return (endpoint.name,) if found is not None and is_relayed(found) else ()
    return tuple(sorted(name for name, one in view.upstreams.items() if is_relayed(one)))


def lenders(view: TenantView, endpoint: Endpoint) -> tuple[str, ...]:
    """The MCP servers that lend tools to the bundle at `endpoint`, now or in a release, by name."""
    if endpoint.kind is not EndpointKind.BUNDLE:
        return ()
    bundle = view.bundles.get(endpoint.name.partition("@")[0])
    if bundle is None:
        return ()
    lists = (bundle.members, *(one.members for one in bundle.releases))
    named = {member.server for members in lists for member in members}
    return tuple(sorted(name for name in named if name in view.upstreams))


def relayed(view: TenantView, endpoint: Endpoint, principal: Principal | None) -> tuple[str, ...]:
    """Those of the servers behind `endpoint` that the caller may know of."""
    if principal is None:
        return ()
    return tuple(name for name in behind(view, endpoint) if may_know(view, principal, name))


def sole(view: TenantView, endpoint: Endpoint, names: Sequence[str]) -> str | None:
    """The one of `names` where `endpoint` speaks for it and nothing else; else None."""
    if len(names) != 1:
        return None
    alone = endpoint.kind is not EndpointKind.ALL or len(view.upstreams) == 1
    return names[0] if alone else None
