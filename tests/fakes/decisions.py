"""Decisions about one case, straight from rules."""

from collections.abc import Iterable

from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.inventory import Target
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Rule
from bascule.gateway.tool import Tool
from bascule.policy.access import Access
from fakes.catalogue import make_snapshot

MOMENT = 1_795_341_600.0
"""A Sunday, 2026-11-22, 10:00 in UTC."""
NOW = Circumstances(MOMENT)


def decide(
    rules: Iterable[Rule],
    principal: Principal,
    subject: Tool | Target,
    action: Action,
    circumstances: Circumstances = NOW,
) -> Decision:
    """What native `rules` decide; elevation is left to them."""
    access = Access(make_snapshot(rules=rules), elevate_privileged=False)
    return decided(access, principal, subject, action, circumstances)


def decided(
    access: Access,
    principal: Principal,
    subject: Tool | Target,
    action: Action = Action.INVOKE,
    circumstances: Circumstances = NOW,
) -> Decision:
    """What `access` decides without asking anybody."""
    decision = access.weigh(Question(principal, subject, action, circumstances))
    assert decision is not None
    return decision
