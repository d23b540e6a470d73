from bascule.gateway.call import Endpoint, EndpointKind
from bascule.transports.entrance import bearer
from bascule.transports.reply import Reply
from fakes.catalogue import KEY
from fakes.channel import FakeGateway

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


def test_only_a_bearer_is_a_credential() -> None:
    assert bearer(b"Bearer  x ") == "x"
    assert bearer(b"bearer x") == "x"
    assert bearer(b"Basic x") is None
    assert bearer(None) is None
