from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bascule.catalogue.bundling import (
    Finder,
    Misfit,
    frozen_members,
    misfit,
    show,
    with_selections,
)
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Bundle, Home, Member, Release, RiskLevel, Tool
from bascule.protocol.mirroring import Mirror
from fakes.catalogue import TENANT, make_tool
from fakes.relayed import make_relayed

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "dealer": {"type": "integer"}},
    "required": ["dealer"],
}
BOOK = replace(
    make_tool("book", input_schema=SCHEMA, risk=RiskLevel.WRITE, version="1.2.0"),
    examples=({"day": "monday", "dealer": 3}, {"dealer": 4}),
    mirrors=(Mirror(("dealer",), "Dealer"), Mirror(("day",), "Day")),
)
OLD = replace(BOOK, version="1.1.0")
DESK_OWN = make_tool("hours", bundle="desk")


def view_of(
    *bundles: Bundle, tools: Iterable[Tool] = (BOOK, DESK_OWN), versions: Iterable[Tool] = ()
) -> TenantView:
    return TenantView(
        TENANT,
        tools={tool.name: tool for tool in tools},
        bundles={one.name: one for one in bundles},
        versions={"book": tuple(versions)} if versions else {},
    )


def served(view: TenantView, endpoint: str = "desk") -> dict[str, Tool]:
    return dict(with_selections(view).bundle_tools[endpoint])


def test_a_bundle_serves_its_own_tools_and_what_it_borrows_in_one_order() -> None:
    found = served(view_of(Bundle("desk", members=(Member("book", name="a_booking"),))))
    assert list(found) == ["a_booking", "hours"]
    assert found["hours"] is DESK_OWN


def test_a_bundle_that_borrows_nothing_needs_no_table() -> None:
    view = view_of(Bundle("desk"), Bundle("booking"))
    assert with_selections(view) is view


def test_a_borrowed_tool_is_shown_in_the_bundles_words() -> None:
    member = Member("book", name="reserve", description="Reserves.", defaults={"dealer": 7})
    shown = show(BOOK, "desk", member)
    assert (shown.name, shown.bundle, shown.description) == ("reserve", "desk", "Reserves.")
    assert shown.input_schema == {
        "type": "object",
        "properties": {"day": {"type": "string"}},
        "required": [],
    }
    listed = msgspec.json.decode(shown.definition)
    assert listed["name"] == "reserve"
    assert listed["description"] == "Reserves."
    assert listed["inputSchema"] == shown.input_schema
    assert shown.examples == ({"day": "monday"}, {})
    assert shown.mirrors == (Mirror(("day",), "Day"),)


def test_what_it_is_and_does_stays_the_tools_own() -> None:
    shown = show(BOOK, "desk", Member("book", name="reserve", defaults={"dealer": 7}))
    assert (shown.risk, shown.version, shown.status) == (BOOK.risk, BOOK.version, BOOK.status)
    assert shown.source is BOOK.source
    assert shown.home == Home("book", "booking", SCHEMA)
    assert shown.defaults == {"dealer": 7}


def test_a_tool_that_is_borrowed_as_it_is_keeps_its_definition_byte_for_byte() -> None:
    assert show(BOOK, "desk", Member("book")).definition is BOOK.definition


def test_what_is_fixed_must_be_an_argument_of_the_tool() -> None:
    member = Member("book", defaults={"shop": 1})
    assert misfit(BOOK, member) == "book 1.2.0 takes no argument shop"
    with pytest.raises(Misfit, match="takes no argument shop"):
        show(BOOK, "desk", member)
    assert misfit(make_tool("plain"), Member("plain", defaults={"x": 1}))


def test_a_member_that_does_not_go_with_its_tool_any_more_is_not_served() -> None:
    """Dropping what was fixed would let callers do more than the bundle lets them."""
    bundle = Bundle("desk", members=(Member("book", defaults={"shop": 1}), Member("gone")))
    assert list(served(view_of(bundle))) == ["hours"]


def test_a_bundle_may_change_what_is_its_own() -> None:
    own = replace(BOOK, bundle="desk")
    bundle = Bundle("desk", members=(Member("book", name="reserve", defaults={"dealer": 7}),))
    assert list(served(view_of(bundle, tools=[own]))) == ["reserve"]


def test_a_borrowed_tool_never_takes_the_name_of_one_that_is_there_by_right() -> None:
    bundle = Bundle("desk", members=(Member("book", name="hours"),))
    assert served(view_of(bundle)) == {"hours": DESK_OWN}


@pytest.mark.parametrize(
    ("pin", "version"), [("", "1.2.0"), ("1", "1.2.0"), ("1.1", "1.1.0"), ("2", None)]
)
def test_a_member_follows_the_version_in_force_or_keeps_to_a_line(
    pin: str, version: str | None
) -> None:
    view = view_of(tools=[BOOK], versions=[BOOK, OLD])
    found = Finder(view).find(Member("book", pin))
    assert (found and found.version) == version


def test_a_member_keeps_to_the_only_version_there_is() -> None:
    assert Finder(view_of(tools=[BOOK])).find(Member("book", "1.2")) is BOOK
    assert Finder(view_of(tools=[BOOK])).find(Member("book", "1.1")) is None
    assert Finder(view_of(tools=[])).find(Member("book", "1.1")) is None


def test_a_tool_of_a_server_is_known_by_the_name_it_has_there() -> None:
    alpha, beta = make_relayed("find", "alpha", front="alpha_find"), make_relayed("find", "beta")
    finder = Finder(view_of(tools=[alpha, beta]))
    assert finder.find(Member("find", server="alpha")) is alpha
    assert finder.find(Member("find", server="beta", version="1")) is beta
    assert finder.find(Member("find", server="beta", version="2")) is None
    assert finder.find(Member("find", server="gamma")) is None


def test_a_name_of_the_registry_never_means_a_tool_that_a_server_offers() -> None:
    assert Finder(view_of(tools=[make_relayed("book", "alpha")])).find(Member("book")) is None


def test_a_servers_tool_is_listed_as_the_bundle_calls_it() -> None:
    tool = make_relayed("find", "alpha", front="alpha_find", extra=',"x":[1]')
    bundle = Bundle("desk", members=(Member("find", server="alpha"),))
    shown = served(view_of(bundle, tools=[tool]))["find"]
    listed = {"name": "find", "inputSchema": {"type": "object"}, "x": [1]}
    assert msgspec.json.decode(shown.definition) == listed
    assert shown.own_definition == b""


FIRST = Release("1.0.0", (Member("book", "1.1.0", name="reserve"), Member("hours", "1.0.0")))
SECOND = Release("1.1.0", (Member("book", "1.2.0"),))
NEXT = Release("2.0.0-rc.1", (Member("hours", "1.0.0"),))


def released(**changes: Any) -> TenantView:
    bundle = Bundle("desk", releases=(NEXT, SECOND, FIRST), **changes)
    return with_selections(view_of(bundle, versions=[BOOK, OLD]))


@pytest.mark.parametrize(
    ("pin", "names"),
    [
        ("1.0.0", {"reserve": "1.1.0", "hours": "1.0.0"}),
        ("1.0", {"reserve": "1.1.0", "hours": "1.0.0"}),
        ("1.1", {"book": "1.2.0"}),
        ("1", {"book": "1.2.0"}),
        ("2.0.0-rc.1", {"hours": "1.0.0"}),
        ("2", {"hours": "1.0.0"}),
    ],
)
def test_a_release_stays_as_it_was_frozen(pin: str, names: dict[str, str]) -> None:
    found = released().bundle_tools[f"desk@{pin}"]
    assert {name: tool.version for name, tool in found.items()} == names


def test_a_released_tool_is_the_bundles_showing_even_where_it_is_its_own() -> None:
    shown = released().bundle_tools["desk@1.0"]["hours"]
    assert (shown.bundle, shown.home) == ("desk", Home("hours", "desk", DESK_OWN.input_schema))


def test_a_bundle_serves_live_what_it_is_until_a_release_is_chosen() -> None:
    assert "desk" not in released().bundle_tools
    chosen = released(served="1.0.0", members=(Member("book", name="new"),))
    assert chosen.bundle_tools["desk"] == chosen.bundle_tools["desk@1.0.0"]


def test_a_frozen_version_that_is_withdrawn_is_not_served() -> None:
    bundle = Bundle("desk", releases=(FIRST,))
    found = with_selections(view_of(bundle, versions=[BOOK]))
    assert list(found.bundle_tools["desk@1"]) == ["hours"]


def test_releases_that_show_the_same_share_it() -> None:
    again = replace(FIRST, version="1.5.0")
    found = with_selections(view_of(Bundle("desk", releases=(again, FIRST)), versions=[BOOK, OLD]))
    first, second = found.bundle_tools["desk@1.0.0"], found.bundle_tools["desk@1.5.0"]
    assert first["reserve"] is second["reserve"]


def test_a_release_freezes_what_is_shown_and_nothing_else() -> None:
    bundle = Bundle(
        "desk",
        members=(
            Member("book", "1.1", name="reserve", defaults={"dealer": 7}),
            Member("find", server="alpha"),
            Member("gone"),
            Member("book", name="misfit", defaults={"shop": 1}),
            Member("book", name="hours"),
        ),
    )
    tools = [BOOK, DESK_OWN, make_relayed("find", "alpha")]
    assert frozen_members(view_of(tools=tools, versions=[BOOK, OLD]), bundle) == (
        Member("hours", "1.0.0"),
        Member("book", "1.1.0", name="reserve", defaults={"dealer": 7}),
        Member("find", "1.0.0", server="alpha"),
    )
