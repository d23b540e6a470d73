from dataclasses import replace

import pytest

from bascule.catalogue.merging import Offer, merge
from bascule.catalogue.pinning import digests_of
from bascule.gateway.pins import Pin
from bascule.gateway.tool import Bundle, Member
from fakes.catalogue import make_tool
from fakes.relayed import make_inventory, make_prompt, make_relayed, make_template, make_view


def offer(name: str, *tools: str, prompts: tuple[str, ...] = (), template: str = "") -> Offer:
    return Offer(
        make_inventory(
            name,
            prompts=[make_prompt(one, name) for one in prompts],
            templates=[make_template(template, name)] if template else [],
        ),
        tuple(make_relayed(one, name) for one in tools),
    )


VIEW = make_view(upstreams=["alpha", "beta"], rest=["dealers"], tools=[make_tool("get_slots")])


def test_own_tools_come_first_then_servers_by_name_each_in_its_own_order() -> None:
    merged = merge(VIEW, {"beta": offer("beta", "z", "a"), "alpha": offer("alpha", "m")})
    assert list(merged.tools) == ["get_slots", "m", "z", "a"]
    assert list(merged.inventories) == ["alpha", "beta"]
    assert merged.bundles == {"alpha": Bundle("alpha"), "beta": Bundle("beta")}


def test_what_has_its_own_name_is_the_server_s_to_the_byte() -> None:
    one = offer("alpha", "search", prompts=("greet",))
    merged = merge(VIEW, {"alpha": one})
    assert merged.tools["search"] is one.tools[0]
    assert merged.inventories["alpha"].prompts["greet"] is one.inventory.prompts["greet"]


def test_what_is_renamed_keeps_its_own_definition_beside() -> None:
    offers = {name: offer(name, "search", prompts=("greet",)) for name in ("alpha", "beta")}
    merged = merge(VIEW, offers)
    tool, own = merged.tools["beta_search"], offers["beta"].tools[0]
    assert (tool.own_definition, tool.source) == (own.definition, own.source)
    assert b'"name":"beta_search"' in tool.definition
    prompt = merged.inventories["beta"].prompts["beta_greet"]
    assert (prompt.name, prompt.inner) == ("beta_greet", "greet")
    assert prompt.own_definition == b'{"name":"greet"}'


def test_a_name_that_is_switched_off_is_not_taken_by_a_server() -> None:
    view = replace(VIEW, disabled=frozenset({"search"}))
    assert "alpha_search" in merge(view, {"alpha": offer("alpha", "search")}).tools


def test_every_name_may_be_prefixed_but_not_those_of_a_server_that_is_alone() -> None:
    assert "alpha_m" in merge(VIEW, {"alpha": offer("alpha", "m")}, always=True).tools
    alone = make_view(upstreams=["alpha"])
    assert list(merge(alone, {"alpha": offer("alpha", "m")}, always=True).tools) == ["m"]


def test_templates_are_kept_also_where_another_server_has_the_same() -> None:
    offers = {name: offer(name, template="a://{x}") for name in ("alpha", "beta")}
    merged = merge(VIEW, offers)
    assert [len(one.templates) for one in merged.inventories.values()] == [1, 1]


def test_without_offers_the_view_is_as_it_was() -> None:
    assert merge(VIEW, {}) is VIEW


def test_only_tools_of_servers_are_renamed() -> None:
    odd = Offer(make_inventory("alpha"), (make_tool("get_slots"),))
    with pytest.raises(TypeError, match="only tools of MCP servers"):
        merge(VIEW, {"alpha": odd})


def test_what_a_bundle_borrows_of_a_server_is_served_as_soon_as_it_is_listed() -> None:
    desk = Bundle("desk", members=(Member("search", name="find", server="alpha"),))
    view = replace(VIEW, bundles={"desk": desk})
    merged = merge(view, {"alpha": offer("alpha", "search"), "beta": offer("beta", "search")})
    shown = merged.bundle_tools["desk"]["find"]
    assert shown.home is not None
    assert (shown.home.name, shown.source.upstream) == ("alpha_search", "alpha")


def test_no_server_s_tool_takes_the_name_of_one_of_the_gateway_s_own() -> None:
    merged = merge(VIEW, {"alpha": offer("alpha", "bascule_search_tools")})
    assert list(merged.tools) == ["get_slots", "alpha_bascule_search_tools"]


def test_tools_whose_definitions_nobody_approved_are_held_back_under_their_names() -> None:
    one = offer("alpha", "search", "find")
    digests = digests_of(one.tools)
    view = replace(VIEW, pins={("alpha", "find"): Pin(digests["find"])})
    merged = merge(view, {"alpha": replace(one, digests=digests)})
    assert list(merged.tools) == ["get_slots", "find"]
    assert list(merged.quarantined) == ["search"]
    assert "search" in merged.disabled
