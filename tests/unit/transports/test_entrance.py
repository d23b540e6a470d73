from dataclasses import replace

import pytest

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind, Method
from bascule.gateway.issuer import Issuer
from bascule.gateway.kernel import Edition
from bascule.gateway.principal import Certificate
from bascule.transports.access import Door, DoorConfig
from bascule.transports.channel import Caller, DuplexConfig
from bascule.transports.entrance import Entrance
from bascule.transports.peers import PEER, Peer
from bascule.transports.proxies import Proxies, ProxyConfig
from bascule.transports.reply import Reply
from fakes.catalogue import KEY
from fakes.channel import FakeGateway
from fakes.mcp import IDENTITY

HOST = (b"host", b"localhost:8080")
AUTHORIZATION = (b"authorization", f"Bearer {KEY}".encode())


def scope(*headers: tuple[bytes, bytes], path: str = "/mcp/ws") -> dict[str, object]:
    return {"type": "http", "path": path, "headers": list(headers), "client": ("10.0.0.1", 5)}


async def test_who_has_a_key_is_admitted_to_the_slice_of_the_path() -> None:
    entrance = FakeGateway().entrance()

    admitted = await entrance.admit(scope(AUTHORIZATION, path="/mcp/bundles/booking/ws"))

    assert not isinstance(admitted, Reply)
    caller, principal = admitted
    assert caller.endpoint == Endpoint(EndpointKind.BUNDLE, "booking")
    assert (caller.peer, caller.credential, principal.subject) == ("10.0.0.1", KEY, "ann")
    assert KEY not in repr(caller)


async def test_a_stranger_is_challenged_and_recorded() -> None:
    gateway = FakeGateway()
    refused = await gateway.entrance().admit(scope())

    assert isinstance(refused, Reply)
    assert refused.status == 401
    assert (b"www-authenticate", b'Bearer realm="bascule"') in refused.headers
    assert gateway.recorder.last.error_code == "E1001"


async def test_a_path_without_a_door_is_refused() -> None:
    refused = await FakeGateway().entrance().admit(scope(AUTHORIZATION, path="/mcp/nowhere"))

    assert isinstance(refused, Reply)
    assert refused.status == 404


async def test_a_gateway_that_cannot_record_admits_nobody() -> None:
    gateway = FakeGateway()
    gateway.recorder.healthy = False

    refused = await gateway.entrance().admit(scope(AUTHORIZATION))

    assert isinstance(refused, Reply)
    assert refused.status == 503


def test_foreign_names_are_turned_away() -> None:
    entrance = FakeGateway().entrance()

    assert entrance.turn_away([HOST]) is None
    for headers in (
        [],
        [(b"host", b"evil.example")],
        [HOST, (b"origin", b"https://evil.example")],
        [HOST, HOST],
    ):
        refused = entrance.turn_away(headers)
        assert refused is not None
        assert refused.status == 403


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/mcp/ws", "/mcp/ws"),
        ("/mcp/servers/notes/sse", "/mcp/servers/notes/sse"),
        ("/mcp/bundles/desk/sse/messages", "/mcp/bundles/desk/sse"),
    ],
)
async def test_where_tokens_are_known_a_stranger_learns_where_to_get_one(
    path: str, resource: str
) -> None:
    gateway = FakeGateway()
    edition = gateway.gateway._edition
    issuer = Issuer("id", "https://id.example", "acme", scopes={"see": ("tools:list",)})
    snapshot = replace(edition.snapshot, issuers={issuer.issuer: issuer})
    gateway.gateway.replace(Edition(snapshot, edition.pipeline))

    refused = await gateway.entrance().admit(scope(HOST, path=path))

    assert isinstance(refused, Reply)
    metadata = f"http://localhost:8080/.well-known/oauth-protected-resource{resource}"
    asked = f'Bearer realm="bascule", resource_metadata="{metadata}", scope="see"'
    assert (b"www-authenticate", asked.encode()) in refused.headers


async def test_a_credential_comes_once_and_in_its_header() -> None:
    gateway = FakeGateway()
    twice = await gateway.entrance().admit(scope(HOST, AUTHORIZATION, AUTHORIZATION))
    request = {**scope(HOST, AUTHORIZATION), "query_string": f"x={KEY}".encode()}
    beside = await gateway.entrance().admit(request)

    for refused in (twice, beside):
        assert isinstance(refused, Reply)
        assert refused.status == 400
        assert KEY.encode() not in refused.body
    assert not gateway.recorder.records


async def test_a_channel_has_the_certificate_and_the_host_of_its_opener() -> None:
    gateway = FakeGateway()
    peer = Peer("10.0.0.9", Certificate("CN=desk", "CN=ca", "00"))
    opened = {**scope(HOST, AUTHORIZATION), PEER: peer}

    admitted = await gateway.entrance().admit(opened)

    assert not isinstance(admitted, Reply)
    caller = admitted[0]
    assert (caller.peer, caller.certificate) == ("10.0.0.9", peer.certificate)
    assert caller.host == "localhost"
    (call,) = gateway.calls
    assert (call.certificate, call.host) == (peer.certificate, "localhost")


async def test_what_came_by_another_way_is_judged_by_what_came_with_it() -> None:
    gateway = FakeGateway()
    certificate = Certificate("CN=desk", "CN=ca", "00")
    entrance = gateway.entrance()
    duplex = entrance.converse(Caller(EVERYTHING, "10.0.0.1", KEY, None, "localhost"))
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'

    await duplex.take(ping)
    await duplex.take(ping, Caller(EVERYTHING, "10.0.0.9", KEY, certificate, "gw"))

    seen = [(call.peer, call.certificate, call.host) for call in gateway.called(Method.PING)]
    assert seen == [("10.0.0.1", None, "localhost"), ("10.0.0.9", certificate, "gw")]
    await duplex.close()


async def test_a_certificate_header_that_comes_twice_opens_nothing() -> None:
    proxies = Proxies(ProxyConfig(("10.0.0.1",), "client-cert"))
    door = Door(DoorConfig(), proxies)
    entrance = Entrance(FakeGateway().gateway, door, IDENTITY, DuplexConfig())
    twice = [(b"client-cert", b":AAAA:")] * 2

    refused = await entrance.admit(scope(HOST, AUTHORIZATION, *twice))

    assert isinstance(refused, Reply)
    assert refused.status == 400
