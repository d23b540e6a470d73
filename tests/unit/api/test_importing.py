"""Where four eyes are asked for, nobody publishes what they imported."""

import pytest

from bascule.api.caller import Caller
from bascule.api.importing import ImportRules, require_another, require_reachable, rules_for
from bascule.gateway.errors import Forbidden
from bascule.gateway.principal import Principal
from bascule.upstreams.egress import PUBLIC_ONLY, AddressRules, parse_networks


def test_another_person_may_always_publish() -> None:
    require_another(ImportRules(four_eyes=True), "asha", "ravi")


def test_the_same_person_may_unless_four_eyes_are_asked_for() -> None:
    require_another(ImportRules(), "asha", "asha")
    with pytest.raises(Forbidden, match=r"catalogue\.four_eyes"):
        require_another(ImportRules(four_eyes=True), "asha", "asha")


def caller(*permissions: str) -> Caller:
    return Caller(Principal("default", "asha", frozenset(), frozenset(permissions)), "c")


@pytest.mark.parametrize("permission", ["mcp:manage_servers", "system_admin"])
def test_who_manages_servers_names_any_address(permission: str) -> None:
    rules = rules_for(caller("tools:write", permission), PUBLIC_ONLY)

    assert rules is PUBLIC_ONLY
    require_reachable(rules, "base_url", "http://10.0.0.5")


def test_anybody_else_names_public_ones_and_those_that_are_allowed() -> None:
    allowed = AddressRules(parse_networks(["10.0.0.0/8"]))
    rules = rules_for(caller("tools:write"), allowed)

    for url in ("http://10.0.0.5/v1", "https://api.example", None, "", "http://[oops"):
        require_reachable(rules, "base_url", url)
    with pytest.raises(Forbidden, match=r"^base_url: 192\.168\.0\.1 .*allowed_networks"):
        require_reachable(rules, "base_url", "http://192.168.0.1")
