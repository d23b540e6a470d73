"""Whom a rule is about."""

from bascule.gateway.principal import Principal
from bascule.gateway.rule import Rule, RuleKind


def concerns(rule: Rule, principal: Principal) -> bool:
    """Whether `rule` is about `principal`, by role, name, group and agent."""
    if rule.roles:
        if rule.roles.isdisjoint(principal.roles):
            return False
    elif rule.kind is RuleKind.RBAC:
        return False
    return (
        (not rule.users or principal.subject in rule.users)
        and (not rule.groups or not rule.groups.isdisjoint(principal.groups))
        and (not rule.agents or principal.agent in rule.agents)
    )
