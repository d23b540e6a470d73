from bascule.gateway.snapshot import Snapshot, TenantView
from fakes.catalogue import make_tool


def test_a_tenant_gets_its_own_view() -> None:
    view = TenantView("acme", tools={"a": make_tool("a")})
    assert Snapshot(1, {"acme": view}).tenant("acme") is view


def test_an_unknown_tenant_owns_nothing() -> None:
    other = TenantView("acme", tools={"a": make_tool("a")}, disabled=frozenset({"b"}))
    view = Snapshot(1, {"acme": other}).tenant("evil")
    assert view == TenantView("evil")
    assert not view.tools
    assert not view.disabled
    assert not view.rules
    assert not view.upstreams
