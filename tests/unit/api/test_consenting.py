from types import MappingProxyType

import pytest

from bascule.api.consenting import (
    account_name,
    is_owner,
    is_there,
    signs_in_with,
    subject_of,
)
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import KeyRecord, Person, Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Upstream, UpstreamKind
from fakes.consents import pending_of

ID = "https://id.example"
ANN = Person("u-1", "ann")
NOTES = Upstream("notes", UpstreamKind.MCP_HTTP, url="https://notes.example/mcp")


def snapshot_of(
    people: dict[tuple[str, str], Person] | None = None,
    keys: dict[bytes, KeyRecord] | None = None,
    client_id: str = "",
) -> Snapshot:
    view = TenantView(
        "default",
        upstreams={"notes": NOTES},
        people={("", "u-1"): ANN, (ID, "s-1"): ANN} if people is None else people,
    )
    issuer = Issuer("id", ID, "default", client_id=client_id)
    return Snapshot(1, {"default": view}, keys or {}, issuers={ID: issuer})


def person(user_id: str | None = "u-1", tenant: str = "default", *more: str) -> Principal:
    return Principal(tenant, "ann", frozenset(), frozenset(more), user_id=user_id)


def key_of(name: str, tenant: str = "default") -> dict[bytes, KeyRecord]:
    return {b"d": KeyRecord("k-1", Principal(tenant, name, frozenset(), key_id="k-1"))}


def test_who_began_it_may_finish_it() -> None:
    assert is_owner(pending_of("user|u-1"), person(), snapshot_of())
    assert not is_owner(pending_of("user|u-2"), person(), snapshot_of())
    assert not is_owner(pending_of("key|ann"), person(), snapshot_of())


def test_the_same_owner_of_another_tenant_is_another() -> None:
    assert not is_owner(pending_of("user|u-1"), person(tenant="acme"), snapshot_of())


def test_a_stranger_who_has_an_account_since_is_the_same() -> None:
    begun = pending_of(f"token|{ID}|s-1")
    assert is_owner(begun, person(), snapshot_of())
    assert not is_owner(begun, person("u-2"), snapshot_of())
    assert not is_owner(begun, person(None), snapshot_of())
    assert not is_owner(pending_of(f"token|{ID}|s-2"), person(), snapshot_of())


def test_the_gateways_own_is_for_who_manages_servers() -> None:
    assert not is_owner(pending_of(""), person(), snapshot_of())
    manager = person("u-1", "default", "mcp:manage_servers")
    assert is_owner(pending_of(""), manager, snapshot_of())


def test_for_whom_it_was_must_still_be_there() -> None:
    assert is_there(pending_of("key|ann"), snapshot_of(keys=key_of("ann")))
    assert not is_there(pending_of("key|ann"), snapshot_of(keys=key_of("bob")))
    assert not is_there(pending_of("key|ann"), snapshot_of(keys=key_of("ann", "acme")))
    assert is_there(pending_of("user|u-1"), snapshot_of())
    assert not is_there(pending_of("user|u-2"), snapshot_of())
    gone = Person("u-1", "ann", is_active=False)
    assert not is_there(pending_of("user|u-1"), snapshot_of({("", "u-1"): gone}))
    assert is_there(pending_of(f"token|{ID}|anybody"), snapshot_of())


def test_so_must_the_server_and_the_tenant() -> None:
    assert not is_there(pending_of("user|u-1", upstream="mail"), snapshot_of())
    assert not is_there(pending_of("user|u-1", tenant="acme"), snapshot_of())


@pytest.mark.parametrize("owner", ["user|u-1", f"token|{ID}|s-1", f"token|{ID}|unknown"])
def test_who_is_known_to_an_issuer_with_pages_can_sign_in(owner: str) -> None:
    assert signs_in_with(pending_of(owner), snapshot_of(client_id="console"))
    assert not signs_in_with(pending_of(owner), snapshot_of())


@pytest.mark.parametrize("owner", ["key|ann", "", "user|u-9", "token|https://other.example|x"])
def test_who_is_not_cannot(owner: str) -> None:
    assert not signs_in_with(pending_of(owner), snapshot_of(client_id="console"))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("user|u-1", "ann"),
        ("user|u-9", "an account that is gone"),
        (f"token|{ID}|s-1", f"s-1 ({ID})"),
        ("key|the robot", "the API key the robot"),
        ("", "the gateway itself"),
    ],
)
def test_an_account_is_named_as_people_know_it(owner: str, name: str) -> None:
    snapshot = snapshot_of(dict(MappingProxyType({("", "u-1"): ANN})))
    assert account_name("default", owner, snapshot) == name


def test_records_call_a_key_by_its_name_as_for_its_calls() -> None:
    assert subject_of("default", "key|the robot", snapshot_of()) == "the robot"
    assert subject_of("default", "user|u-1", snapshot_of()) == "ann"
