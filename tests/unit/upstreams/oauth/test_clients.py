"""This gateway is known to each authorization server by what that one gave, or takes."""

import json

import pytest

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.oauth.clients import (
    Registrar,
    by_hand,
    client_document,
    members_of,
    portable,
    proof,
)
from bascule.upstreams.oauth.failures import AuthorizationFailed, AuthorizationUnavailable
from bascule.upstreams.oauth.metadata import ServerMetadata
from bascule.upstreams.oauth.ports import Registration
from fakes.authorization import Said, document
from fakes.ways import BACK, World

DOCUMENT = "https://gateway.example/oauth/client.json"


def server(*methods: str, document: bool = False) -> ServerMetadata:
    return ServerMetadata(
        "https://a",
        token_endpoint_auth_methods_supported=methods,
        client_id_metadata_document_supported=document,
    )


def described(world: World, **members: object) -> ServerMetadata:
    usual = {"issuer": "https://a", "registration_endpoint": f"{world.server.url}/register"}
    return ServerMetadata(**(usual | members))  # type: ignore[arg-type]


def test_the_document_names_itself_and_asks_for_no_secret() -> None:
    found = client_document(DOCUMENT, "https://gateway.example/oauth/callback")

    assert found["client_id"] == DOCUMENT
    assert found["redirect_uris"] == ["https://gateway.example/oauth/callback"]
    assert found["token_endpoint_auth_method"] == "none"
    assert found["application_type"] == "web"
    assert client_document(DOCUMENT, BACK)["application_type"] == "native"


def test_a_document_is_used_where_the_server_takes_one() -> None:
    made = portable(DOCUMENT, server(document=True), BACK)

    assert made == Registration("https://a", DOCUMENT, redirect_uri=BACK)
    assert portable(DOCUMENT, server("none", document=True), BACK) == made
    assert portable(DOCUMENT, server(), BACK) is None
    assert portable("", server(document=True), BACK) is None
    assert portable(DOCUMENT, server("private_key_jwt", document=True), BACK) is None


def test_a_secret_given_by_hand_is_shown_the_way_the_server_takes() -> None:
    assert by_hand(server(), "id", "s").method == "client_secret_basic"
    assert by_hand(server("client_secret_post"), "id", "s").method == "client_secret_post"
    assert by_hand(server("none"), "id", "").method == "none"


def test_who_asks_is_proven_in_the_form_or_the_header() -> None:
    basic = Registration("https://a", "a b", "c:d", "client_secret_basic")
    header = ("authorization", "Basic YStiOmMlM0Fk")
    assert proof(basic) == ({"client_id": "a b"}, (header,))
    post = Registration("https://a", "id", "s", "client_secret_post")
    assert proof(post) == ({"client_id": "id", "client_secret": "s"}, ())
    assert proof(Registration("https://a", "id")) == ({"client_id": "id"}, ())


async def test_a_registration_says_who_asks_and_where_people_return(world: World) -> None:
    world.server.registration = {"client_secret": "s", "client_secret_expires_at": 0}
    made = await Registrar(world.exchange).register(described(world), BACK)

    assert made == Registration(
        "https://a", "client-1", "s", "client_secret_basic", BACK, expires_at=None
    )
    asked = json.loads(world.server.asked[0].body)
    assert asked["redirect_uris"] == [BACK]
    assert asked["grant_types"] == ["authorization_code", "refresh_token"]
    assert asked["application_type"] == "native"


async def test_a_public_client_keeps_no_secret(world: World) -> None:
    world.server.registration = {"client_secret": "s", "client_secret_expires_at": 9e9}
    asked = described(world, token_endpoint_auth_methods_supported=("none",))

    made = await Registrar(world.exchange).register(asked, BACK)

    assert (made.method, made.client_secret, made.expires_at) == ("none", None, 9e9)


@pytest.mark.parametrize(
    "answer",
    [
        document({}, 201),
        document({"client_id": ""}, 201),
        document({"client_id": "x" * 2000}, 201),
        document({"client_id": "x", "token_endpoint_auth_method": "private_key_jwt"}, 201),
        document({"client_id": "x", "token_endpoint_auth_method": "client_secret_post"}, 201),
        document({"error": "invalid_redirect_uri"}, 400),
        Said(403, b"no"),
        Said(200, b"<html>"),
    ],
)
async def test_a_registration_that_is_none_is_refused(world: World, answer: Said) -> None:
    world.server.overrides["/register"] = answer

    with pytest.raises(AuthorizationFailed):
        await Registrar(world.exchange).register(described(world), BACK)


async def test_a_server_that_is_down_may_register_later(world: World) -> None:
    world.server.overrides["/register"] = Said(503)

    with pytest.raises(AuthorizationUnavailable):
        await Registrar(world.exchange).register(described(world), BACK)


@pytest.mark.parametrize("endpoint", ["", "ftp://a/register"])
async def test_without_a_place_to_register_an_operator_must(world: World, endpoint: str) -> None:
    with pytest.raises(AuthorizationFailed):
        await Registrar(world.exchange).register(
            described(world, registration_endpoint=endpoint), BACK
        )


def test_a_registration_holds_for_its_address_and_its_time(world: World) -> None:
    registrar = Registrar(world.exchange, lambda: 100.0)

    assert registrar.holds(Registration("https://a", "c", redirect_uri=BACK), BACK)
    assert not registrar.holds(Registration("https://a", "c", redirect_uri=BACK), "https://b")
    ended = Registration("https://a", "c", redirect_uri=BACK, expires_at=99.0)
    assert not registrar.holds(ended, BACK)
    assert not registrar.holds(None, BACK)


def test_an_answer_that_is_no_object_has_no_members() -> None:
    for body in (b"", b"[1]", b"\xff", b"["):
        assert members_of(HttpResponse(200, [], body).body) == {}
    assert members_of(b'{"a": 1}') == {"a": 1}
