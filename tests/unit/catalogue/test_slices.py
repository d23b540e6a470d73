from dataclasses import replace

import pytest

from bascule.catalogue.slices import behind, is_relayed, lenders, may_know, relayed, sole
from bascule.gateway.call import Endpoint, EndpointKind
from bascule.gateway.principal import Principal
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.tool import Bundle, Member, Release, Upstream, UpstreamKind
from fakes.relayed import make_inventory, make_view

MIXED = make_view(upstreams=["beta", "alpha"], rest=["dealers"])
USER = Principal("acme", "u", frozenset({"user"}), frozenset({"tools:list"}))
ADMIN = Principal("acme", "a", frozenset({"admin"}), frozenset({"system_admin"}))


def rule(**fields: object) -> Rule:
    base = {"name": "r", "effect": Effect.ALLOW, "roles": frozenset({"user"})}
    return Rule(**(base | fields))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", UpstreamKind)
def test_mcp_servers_are_relayed_and_other_services_are_not(kind: UpstreamKind) -> None:
    assert is_relayed(Upstream("x", kind)) is kind.value.startswith("mcp_")


def test_all_servers_are_behind_the_whole_in_order_of_their_names() -> None:
    assert behind(MIXED, Endpoint()) == ("alpha", "beta")
    assert sole(MIXED, Endpoint(), ("alpha", "beta")) is None


@pytest.mark.parametrize("kind", [EndpointKind.SERVER, EndpointKind.BUNDLE])
def test_a_server_is_alone_at_its_own_endpoint(kind: EndpointKind) -> None:
    endpoint = Endpoint(kind, "alpha")
    assert behind(MIXED, endpoint) == ("alpha",)
    assert sole(MIXED, endpoint, behind(MIXED, endpoint)) == "alpha"


@pytest.mark.parametrize("name", ["dealers", "absent"])
def test_no_server_is_behind_any_other_endpoint(name: str) -> None:
    endpoint = Endpoint(EndpointKind.SERVER, name)
    assert behind(MIXED, endpoint) == ()
    assert sole(MIXED, endpoint, ()) is None


def test_the_only_service_there_is_is_alone_everywhere() -> None:
    assert sole(make_view(upstreams=["alpha"]), Endpoint(), ("alpha",)) == "alpha"
    mixed = make_view(upstreams=["alpha"], rest=["dealers"])
    assert sole(mixed, Endpoint(), ("alpha",)) is None


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ((), ()),
        ((rule(),), ("alpha", "beta")),
        ((rule(bundles=frozenset({"alpha"})),), ("alpha",)),
        ((rule(roles=frozenset({"other"})),), ()),
        ((rule(effect=Effect.DENY),), ()),
        ((rule(actions=frozenset({Action.INVOKE})),), ()),
    ],
)
def test_a_server_no_rule_could_show_anything_of_does_not_exist_for_the_caller(
    rules: tuple[Rule, ...], known: tuple[str, ...]
) -> None:
    view = replace(MIXED, rules=rules)
    assert relayed(view, Endpoint(), USER) == known
    assert relayed(view, Endpoint(), ADMIN) == ("alpha", "beta")
    assert relayed(view, Endpoint(), None) == ()


def test_who_may_not_list_knows_no_server() -> None:
    nobody = Principal("acme", "n", frozenset({"user"}))
    assert not may_know(replace(MIXED, rules=(rule(),)), nobody, "alpha")


def test_the_servers_that_lend_a_bundle_its_tools_are_known_by_its_members() -> None:
    released = Release("1.0.0", (Member("x", server="beta"), Member("own")))
    desk = Bundle("desk", members=(Member("y", server="alpha"),), releases=(released,))
    gone = Bundle("gone", members=(Member("z", server="nobody"),))
    view = replace(
        make_view(make_inventory("alpha"), make_inventory("beta")),
        bundles={"desk": desk, "gone": gone},
    )
    for name in ("desk", "desk@1"):
        assert lenders(view, Endpoint(EndpointKind.BUNDLE, name)) == ("alpha", "beta")
    for endpoint in (
        Endpoint(),
        Endpoint(EndpointKind.BUNDLE, "gone"),
        Endpoint(EndpointKind.BUNDLE, "other"),
        Endpoint(EndpointKind.SERVER, "desk"),
    ):
        assert lenders(view, endpoint) == ()
