"""Each caller's token exchanged (RFC 8693): for whom, how often, and shown to nobody else."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from bascule.gateway.bearer import Bearer
from bascule.gateway.call import Call, Method
from bascule.gateway.connector import TokenExchange
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Evidence, Means, Principal
from bascule.upstreams.credentials import ExchangingClients, Way
from bascule.upstreams.credentials.failures import (
    ExchangeRefused,
    NothingToExchange,
    OthersToken,
    TokenRefused,
)
from bascule.upstreams.http1 import HttpRequest, HttpResponse, Origin
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.resolver import SecretResolver
from bascule.upstreams.secrets.sources import Stored

ISSUER = "https://id.example"
WANTED = TokenExchange(
    f"{ISSUER}/token", "gateway", "open-sesame-9", "api", "https://api.example/", "orders"
)
API = Origin("https", "api.example", 443)
SUBJECT = "urn:ietf:params:oauth:token-type:access_token"


class FakeClient:
    """A token endpoint, and a service that knows which tokens it gave."""

    max_body_bytes = 1000

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.basic: list[str] = []
        self.sent: list[str] = []
        self.good: set[str] = set()
        self.seconds = 600.0
        self.refusal: tuple[int, dict[str, str]] | None = None

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        del deadline
        if request.origin == API:
            return self._serve(request)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.asked.append(form)
        self.basic.append(dict(request.headers).get("authorization", ""))
        if self.refusal is not None:
            return HttpResponse(self.refusal[0], [], json.dumps(self.refusal[1]).encode())
        token = f"exchanged-{len(self.asked)}-for-{form['subject_token']}"
        self.good.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "issued_token_type": SUBJECT}
        body = {**answer, "expires_in": self.seconds}
        return HttpResponse(200, [], json.dumps(body).encode())

    def _serve(self, request: HttpRequest) -> HttpResponse:
        lines = request.prepared.decode().split("\r\n")
        token = next(one[22:] for one in lines if one.lower().startswith("authorization: bearer "))
        self.sent.append(token)
        return HttpResponse(200 if token in self.good else 401, [], token.encode())


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


TOKEN = "t-ann"


def call_of(who: str = "ann", token: str | None = TOKEN, issuer: str = ISSUER) -> Call:
    evidence = Evidence(Means.TOKEN, "default", issuer, who, who)
    principal = Principal("default", who, frozenset(), evidence=evidence)
    call = Call(Method.TOOLS_CALL, "c-1", principal=principal)
    call.bearer = None if token is None else Bearer(token)
    return call


class Scene:
    def __init__(self, wanted: TokenExchange = WANTED, most: int = 10) -> None:
        self.client = FakeClient()
        self.clock = Clock()
        resolver = SecretResolver(Stored(SecretBox([b"k" * 32])), {})
        sender: Any = self.client
        way = Way("default", "orders", sender, sender)
        self.clients = ExchangingClients(way, wanted, resolver, self.clock, most)

    async def send(self, call: Call) -> HttpResponse:
        request = HttpRequest(API, "POST", "/pay", (("Authorization", "Bearer smuggled"),))
        return await self.clients.of(call).client.request(request, float("inf"))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.clients.close()


async def test_the_endpoint_is_asked_as_the_standard_says(scene: Scene) -> None:
    assert (await scene.send(call_of())).status == 200
    assert scene.client.asked == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": "t-ann",
            "subject_token_type": SUBJECT,
            "requested_token_type": SUBJECT,
            "resource": "https://api.example/",
            "scope": "orders",
            "audience": "api",
        }
    ]
    assert scene.client.basic == ["Basic " + base64.b64encode(b"gateway:open-sesame-9").decode()]


async def test_only_the_exchanged_token_is_sent(scene: Scene) -> None:
    await scene.send(call_of())
    assert scene.client.sent == ["exchanged-1-for-t-ann"]


async def test_a_token_is_exchanged_once(scene: Scene) -> None:
    for _ in range(3):
        await scene.send(call_of())
    assert len(scene.client.asked) == 1


async def test_two_callers_never_share_one(scene: Scene) -> None:
    await scene.send(call_of())
    await scene.send(call_of("bob", "t-bob"))
    assert scene.client.sent == ["exchanged-1-for-t-ann", "exchanged-2-for-t-bob"]
    assert scene.clients.of(call_of()).client.secrets == ("exchanged-1-for-t-ann",)


async def test_another_token_of_the_same_caller_is_exchanged_for_itself(scene: Scene) -> None:
    await scene.send(call_of())
    await scene.send(call_of(token="t-narrower"))
    assert scene.client.sent[1] == "exchanged-2-for-t-narrower"


async def test_the_same_token_under_another_owner_is_not_found(scene: Scene) -> None:
    await scene.send(call_of())
    await scene.send(call_of("bob", "t-ann"))
    assert len(scene.client.asked) == 2


async def test_it_is_used_until_it_nears_its_end(scene: Scene) -> None:
    await scene.send(call_of())
    scene.clock.seconds += 539
    await scene.send(call_of())
    assert len(scene.client.asked) == 1
    scene.clock.seconds += 62
    await scene.send(call_of())
    assert len(scene.client.asked) == 2


async def test_a_token_that_the_service_refuses_is_exchanged_anew_once(scene: Scene) -> None:
    await scene.send(call_of())
    scene.client.good.clear()
    assert (await scene.send(call_of())).status == 200
    assert len(scene.client.asked) == 2
    scene.client.good.clear()
    assert (await scene.send(call_of())).status == 401, "not again and again"
    assert len(scene.client.asked) == 2


async def test_an_answer_repeats_no_token(scene: Scene) -> None:
    await scene.send(call_of())
    scene.client.good.clear()
    await scene.send(call_of())
    scene.client.good.clear()
    assert b"exchanged" not in (await scene.send(call_of())).body


@pytest.mark.parametrize("token", [None])
async def test_a_caller_without_a_token_is_told_so(scene: Scene, token: None) -> None:
    with pytest.raises(NothingToExchange) as raised:
        scene.clients.of(call_of(token=token))
    assert raised.value.error is ErrorCode.TOKEN_REQUIRED
    assert scene.client.asked == []


@pytest.mark.parametrize("issuer", ["https://other.example", "", "nonsense", "http://id.example"])
async def test_a_token_of_another_issuer_is_not_shown(scene: Scene, issuer: str) -> None:
    with pytest.raises(OthersToken):
        scene.clients.of(call_of(issuer=issuer))
    assert scene.client.asked == []


async def test_an_issuer_on_another_host_is_named() -> None:
    named = "https://sts.example/tenant"
    wanted = TokenExchange(f"{ISSUER}/token", "g", "open-sesame-9", issuer=named)
    scene = Scene(wanted)
    assert (await scene.send(call_of(issuer=named))).status == 200
    with pytest.raises(OthersToken):
        scene.clients.of(call_of(issuer=ISSUER))
    await scene.clients.close()


async def test_who_brings_nothing_but_a_principal_without_evidence_is_refused(
    scene: Scene,
) -> None:
    call = call_of()
    call.principal = Principal("default", "ann", frozenset(), key_id="k-1")
    with pytest.raises(OthersToken):
        scene.clients.of(call)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_request", "invalid_target", "other"])
async def test_a_refused_token_is_the_callers_matter(scene: Scene, error: str) -> None:
    scene.client.refusal = (400, {"error": error, "error_description": "t-ann is bad"})
    with pytest.raises(ExchangeRefused) as raised:
        await scene.send(call_of())
    assert "t-ann" not in raised.value.private
    assert scene.client.sent == []


@pytest.mark.parametrize("refusal", [(401, {"error": "invalid_client"}), (401, {})])
async def test_a_refused_client_is_the_operators(
    scene: Scene, refusal: tuple[int, dict[str, str]]
) -> None:
    scene.client.refusal = refusal
    with pytest.raises(TokenRefused):
        await scene.send(call_of())


async def test_no_more_are_kept_than_there_is_room_for() -> None:
    scene = Scene(most=2)
    for who in ("ann", "bob", "ann", "cleo"):
        await scene.send(call_of(who, f"t-{who}"))
    assert scene.clients.count == 2
    await scene.send(call_of("ann", "t-ann"))
    assert len(scene.client.asked) == 3, "bob's went, who came longest ago"
    await scene.clients.close()
    assert scene.clients.count == 0
