from typing import Any

import pytest

from bascule.catalogue.advertising import Advertising, Relayed, declared
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.capabilities import TASKS_EXTENSION, UI_EXTENSION
from bascule.gateway.handshake import Advertised
from bascule.gateway.snapshot import TenantView
from bascule.protocol.versions import Era
from fakes.catalogue import make_principal
from fakes.relayed import make_inventory, make_view, snapshot_of

EVERYTHING = (
    b'{"tools":{"listChanged":true},"prompts":{"listChanged":true},"completions":{},"logging":{},'
    b'"resources":{"subscribe":true,"listChanged":true},"experimental":{"x":{}},'
    b'"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{"m":1},'
    b'"com.example/other":{}}}'
)
ALL_OF_IT = Relayed(changes=True, logging=True, tasks=True)


def advertised(
    view: TenantView,
    what: Relayed = ALL_OF_IT,
    *,
    endpoint: Endpoint | None = None,
    era: Era = Era.MODERN,
) -> Advertised:
    call = Call(Method.DISCOVER, "c-1", era=era, principal=make_principal())
    call.snapshot, call.endpoint = snapshot_of(view), endpoint or Endpoint()
    return Advertising("Ours.", what).advertise(call)


def one_of(capabilities: bytes, **members: Any) -> dict[str, Any]:
    view = make_view(make_inventory(capabilities=capabilities))
    return dict(advertised(view, **members).capabilities)


def test_all_that_is_passed_on_is_advertised_and_nothing_else() -> None:
    assert one_of(EVERYTHING) == {
        "tools": {"listChanged": True},
        "prompts": {"listChanged": True},
        "resources": {"listChanged": True, "subscribe": True},
        "completions": {},
        "logging": {},
        "extensions": {UI_EXTENSION: {"m": 1}, TASKS_EXTENSION: {}},
    }


def test_what_is_not_passed_on_is_not_advertised_whatever_a_server_says() -> None:
    assert one_of(EVERYTHING, what=Relayed()) == {
        "tools": {},
        "prompts": {},
        "resources": {},
        "completions": {},
        "extensions": {UI_EXTENSION: {"m": 1}},
    }


def test_the_older_revisions_know_no_extensions() -> None:
    assert "extensions" not in one_of(EVERYTHING, era=Era.LEGACY)


def test_a_server_with_tools_alone_is_advertised_as_that() -> None:
    assert one_of(b'{"tools":{}}', what=Relayed()) == {"tools": {}}


def test_an_endpoint_can_what_any_of_its_servers_can() -> None:
    view = make_view(
        make_inventory("alpha", capabilities=b'{"resources":{}}'),
        make_inventory("beta", capabilities=b'{"resources":{"subscribe":true},"prompts":{}}'),
        make_inventory("gamma", capabilities=b'{"resources":{}}'),
    )
    found = advertised(view, Relayed(changes=True)).capabilities
    assert found["resources"] == {"listChanged": True, "subscribe": True}
    alone = advertised(view, endpoint=Endpoint(EndpointKind.SERVER, "alpha")).capabilities
    assert "prompts" not in alone


def test_a_server_that_is_alone_speaks_for_itself() -> None:
    alpha = make_inventory("alpha", instructions="Ask alpha.")
    assert advertised(make_view(alpha)).instructions == "Ask alpha."
    assert advertised(make_view(alpha, make_inventory("beta"))).instructions == "Ours."
    assert advertised(make_view(make_inventory("alpha"))).instructions == "Ours."
    assert advertised(make_view(upstreams=["alpha"])).instructions == "Ours."


def test_who_is_not_known_learns_nothing() -> None:
    call = Call(Method.DISCOVER, "c-1")
    assert Advertising("Ours.", ALL_OF_IT).advertise(call).capabilities == {"tools": {}}


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"prompts":1,"resources":null}'])
def test_capabilities_that_are_no_objects_are_none(raw: bytes) -> None:
    assert declared(raw) == {}
