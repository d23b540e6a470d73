"""The gateway as an OAuth client: honest servers, hostile ones, and callers kept apart."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bascule.app.background import Background
from bascule.app.connectors import Clients, Connectors
from bascule.app.consenting import at_desk, headless
from bascule.app.granting import Ways, granted
from bascule.app.looks import Looks
from bascule.app.offers import Offers
from bascule.app.proxy import open_proxy
from bascule.app.secrets import no_secrets
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.connector import Connector, UserGrants
from bascule.gateway.errors import GatewayError, InvalidValue
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import McpSource, Tool, Upstream, UpstreamKind
from bascule.settings.loading import load
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin, PoolConfig, client_tls
from bascule.upstreams.mcp import McpUpstream
from bascule.upstreams.mcp.listing import ListKind
from bascule.upstreams.oauth import exchange
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    ConsentNeeded,
    NotConnected,
)
from bascule.upstreams.oauth.headless import HeadlessConsent
from bascule.upstreams.oauth.memory import MemoryGrants, MemoryRegistrations
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending
from bascule.upstreams.oauth.setup import Setup
from fakes.authorization import AuthorizationServer, Said, Service, at, document

BACK = "http://127.0.0.1:9/callback"
ANN, BOB = "key|ann", "key|bob"


class Absent:
    """Nobody consents until a page was visited: what a governed gateway does."""

    redirect_uri = BACK

    def __init__(self) -> None:
        self.asked: list[Pending] = []

    async def ask(self, pending: Pending) -> Callback:
        self.asked.append(pending)
        raise ConsentNeeded(f"https://gateway.example/consent/{pending.state}", pending.upstream)


@dataclass
class Scene:
    """A service, its authorization server, and the gateway's upstream in front of both."""

    service: Service
    server: AuthorizationServer
    upstream: McpUpstream
    grants: MemoryGrants
    registrations: MemoryRegistrations
    absent: Absent
    record: Upstream

    async def call(self, owner: str = ANN) -> Any:
        async with asyncio.timeout(10):
            return await self.upstream.execute(_call(owner))

    async def consent(self, owner: str = ANN) -> None:
        """What the callback route does, once the person was there."""
        pending = self.absent.asked[-1]
        assert pending.owner == owner
        async with HttpClient() as browser:
            callback = await HeadlessConsent(browser, BACK).ask(pending)
        assert self.upstream.access is not None
        await self.upstream.access.finish(pending, callback)

    async def connected(self, owner: str = ANN) -> None:
        with pytest.raises(ConsentNeeded):
            await self.call(owner)
        await self.consent(owner)
        await self.call(owner)

    @property
    def tools(self) -> list[str | None]:
        """The tokens that tool calls came with."""
        return [token for method, token in self.service.calls if method == "tools/call"]


def _call(owner: str) -> Call:
    name = owner.removeprefix("key|")
    tool = Tool("whoami", "Says it.", "s", McpSource("s", "whoami"), {"type": "object"})
    return Call(
        Method.TOOLS_CALL,
        "corr-1",
        tool_name="whoami",
        principal=Principal("acme", name, frozenset()),
        tool=tool,
        arguments={},
    )


@asynccontextmanager
async def scene(
    *, people: str = "absent", wanted: UserGrants | None = None
) -> AsyncGenerator[Scene]:
    """`people`: absent, whom a page waits for; or headless, the one who sits here."""
    server = AuthorizationServer()
    service = Service(server)
    grants, registrations, absent = MemoryGrants(), MemoryRegistrations(), Absent()
    async with at(server, service), HttpClient() as client, HttpClient() as browser, Background():
        tls, config = client_tls(), PoolConfig()
        resolver = no_secrets()
        connectors = Connectors(Clients(client, client), (config, config), tls, resolver)
        wanted = wanted or UserGrants()
        if wanted.client_id and not wanted.issuer:
            wanted = UserGrants(wanted.client_id, wanted.client_secret, server.issuer)
        record = Upstream(
            "s",
            UpstreamKind.MCP_HTTP,
            url=f"{service.url}/mcp",
            timeout_seconds=5,
            connect_timeout_seconds=5,
            connector=Connector(user_grants=wanted),
        )
        consent = absent if people == "absent" else HeadlessConsent(browser, BACK)
        setup = Setup(
            grants, registrations, consent, one_person=people != "absent", consent_seconds=5
        )
        clients = granted(
            "acme", connectors.reach("acme", record), setup, Ways(config, tls, resolver)
        )
        upstream = McpUpstream(record, clients)
        try:
            yield Scene(service, server, upstream, grants, registrations, absent, record)
        finally:
            await upstream.aclose()


async def test_who_sits_here_consents_once_and_is_served() -> None:
    async with scene(people="headless") as it:
        await it.call(ANN)
        await it.call(BOB)

        assert it.tools == ["token-1", "token-1"]
        (asked,) = it.server.authorizations
        assert asked["resource"] == f"{it.service.url}/mcp"
        assert asked["code_challenge_method"] == "S256"
        assert it.server.redeemed[0]["resource"] == f"{it.service.url}/mcp"


async def test_a_caller_without_consent_is_given_an_address_and_nothing_runs() -> None:
    async with scene() as it:
        with pytest.raises(ConsentNeeded) as needed:
            await it.call(ANN)

        assert needed.value.url.startswith("https://gateway.example/consent/")
        assert it.tools == []


async def test_each_caller_is_served_with_their_own_token_alone() -> None:
    async with scene() as it:
        await it.connected(ANN)
        await it.connected(BOB)
        await it.call(ANN)

        assert it.tools == ["token-1", "token-2", "token-1"]
        with pytest.raises(ConsentNeeded):
            await it.call("key|eve")
        messages = [one for one in it.service.asked if one.method == "POST"]
        assert {one.token for one in messages if one.token} == {"token-1", "token-2"}


async def test_lists_are_made_with_the_grant_of_who_consented_first() -> None:
    async with scene() as it:
        with pytest.raises(NotConnected):
            await it.upstream.list_tools()
        assert it.absent.asked == []

        await it.connected(BOB)
        await it.connected(ANN)
        await it.upstream.list_tools()

        assert it.service.calls[-1] == ("tools/list", "token-1")


async def test_who_asks_first_what_a_server_offers_is_sent_to_consent_for_themselves() -> None:
    async with scene() as it, Background() as background:
        view = TenantView("acme", upstreams={"s": it.record})
        offers = Offers(lambda tenant, upstream: it.upstream, background)
        offers.follow([("acme", it.record)])
        looks = Looks(offers, CollectorRegistry(), one_caller=False)
        call = Call(
            Method.TOOLS_LIST,
            "corr-1",
            endpoint=Endpoint(EndpointKind.SERVER, "s"),
            principal=Principal("acme", "ann", frozenset({"admin"}), frozenset({"tools:list"})),
        )

        with pytest.raises(ConsentNeeded):
            await looks.take(view, call, ListKind.TOOLS)
        await it.consent(ANN)
        await looks.take(view, call, ListKind.TOOLS)

        assert it.service.calls[-1] == ("tools/list", "token-1")
        assert [one.name for one in offers.of("acme")["s"].tools] == ["whoami"]


async def test_the_gateways_own_grant_lists_before_any_callers() -> None:
    async with scene() as it:
        await it.connected(ANN)
        assert it.upstream.access is not None
        with pytest.raises(ConsentNeeded):
            await it.upstream.access.connect("")
        await it.consent("")

        await it.upstream.list_tools()

        assert it.service.calls[-1] == ("tools/list", "token-2")
        with pytest.raises(ConsentNeeded):
            await it.call(BOB)


async def test_a_token_that_is_not_accepted_any_more_is_refreshed_by_one_request() -> None:
    async with scene() as it:
        it.server.token = {"refresh_token": "refresh-1"}
        await it.connected(ANN)
        it.service.refused.add("token-1")

        await asyncio.gather(*(it.call(ANN) for _ in range(8)))

        assert it.tools[1:] == ["token-2"] * 8
        assert [one["grant_type"] for one in it.server.redeemed].count("refresh_token") == 1
        assert len(it.absent.asked) == 1


async def test_a_token_about_to_end_is_refreshed_before_it_is_sent() -> None:
    async with scene() as it:
        it.server.token = {"refresh_token": "refresh-1", "expires_in": 5}
        with pytest.raises(ConsentNeeded):
            await it.call(ANN)
        await it.consent(ANN)
        it.server.token = {"expires_in": "3600"}

        await it.call(ANN)
        await it.call(ANN)

        assert it.tools == ["token-2", "token-2"]
        # The server gave no other refresh token, so the first one holds.
        grant = await it.grants.load(Holder("acme", ANN, "s"), f"{it.service.url}/mcp")
        assert grant is not None
        assert grant.refresh_token == "refresh-1"


async def test_a_refresh_that_is_refused_ends_the_grant_and_asks_the_person() -> None:
    async with scene() as it:
        it.server.token = {"refresh_token": "refresh-1"}
        await it.connected(ANN)
        it.service.refused.add("token-1")
        it.server.refresh = document({"error": "invalid_grant"}, 400)

        with pytest.raises(ConsentNeeded):
            await it.call(ANN)

        holder = Holder("acme", ANN, "s")
        assert await it.grants.load(holder, f"{it.service.url}/mcp") is None


async def test_a_grant_that_was_taken_back_is_not_used_again() -> None:
    async with scene() as it:
        await it.connected(ANN)
        await it.grants.forget(Holder("acme", ANN, "s"), f"{it.service.url}/mcp")

        with pytest.raises(ConsentNeeded):
            await it.call(ANN)

        assert it.tools == ["token-1"]


async def test_more_scopes_are_asked_for_on_top_of_those_before() -> None:
    async with scene(people="headless") as it:
        it.service.challenge = 'Bearer scope="read"'
        it.service.needed = lambda method: ["write"] if method == "tools/call" else ["read"]

        await it.call()

        first, second = it.server.authorizations
        assert first["scope"] == "read"
        assert set(second["scope"].split()) == {"read", "write"}
        assert it.tools == ["token-2"]


async def test_scopes_that_were_asked_for_and_are_not_enough_end_it() -> None:
    async with scene(people="headless") as it:
        it.service.challenge = 'Bearer scope="admin"'
        # It knows of no scopes: whatever is granted is too little.
        it.server.overrides["/authorize"] = without_scope(it.server)
        it.service.needed = lambda method: ["admin"] if method == "tools/call" else []

        with pytest.raises(AuthorizationFailed):
            await it.call()

        assert len(it.server.authorizations) == 1


def without_scope(server: AuthorizationServer) -> Callable[[Any], Said]:
    def answer(asked: Any) -> Said:
        said = server.authorize(asked)
        for code, (challenge, _) in list(server.challenges.items()):
            server.challenges[code] = challenge, ""
        return said

    return answer


async def test_a_service_that_wants_ever_more_scopes_is_not_followed_without_end() -> None:
    async with scene(people="headless") as it:
        wanted = iter(range(1000))
        it.service.needed = lambda method: (
            [f"scope-{next(wanted)}"] if method == "tools/call" else []
        )

        for _ in range(6):
            with pytest.raises(GatewayError):
                await it.call()

        assert len(it.server.authorizations) <= 6
        assert it.tools == []


async def test_a_service_that_refuses_every_token_is_not_asked_without_end() -> None:
    async with scene(people="headless") as it:
        it.service.refused |= {f"token-{one}" for one in range(100)}
        it.server.token = {"refresh_token": "again"}

        with pytest.raises(AuthorizationFailed):
            await it.call()

        assert len(it.server.authorizations) == 1


async def test_what_another_server_gave_is_not_shown_to_the_one_that_took_its_place() -> None:
    async with scene(people="headless") as it:
        it.server.token = {"refresh_token": "of-the-first"}
        await it.call()
        second = AuthorizationServer()
        second.client_id = "client-2"
        async with at(second):
            second.scopes_of = it.server.scopes_of
            it.service.described = {"authorization_servers": [second.issuer]}
            it.service.refused.add("token-1")
            second.count = 10

            await it.call()

        assert it.tools == ["token-1", "token-11"]
        assert [one["client_id"] for one in second.authorizations] == ["client-2"]
        assert all("client-1" not in str(one) for one in second.asked)
        assert all("of-the-first" not in str(one) for one in second.asked)


async def test_a_client_registered_by_hand_proves_itself_and_only_where_it_is_known() -> None:
    async with scene(people="headless", wanted=UserGrants("mine", "hush+hush")) as it:
        it.server.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
        await it.call()

        assert "/register" not in it.server.paths()
        (asked,) = [one for one in it.server.asked if one.path == "/token"]
        assert asked.headers["authorization"] == "Basic bWluZTpodXNoJTJCaHVzaA=="

        other = AuthorizationServer()
        async with at(other):
            it.service.described = {"authorization_servers": [other.issuer]}
            it.service.refused.add("token-1")
            with pytest.raises(AuthorizationFailed):
                await it.call()
        assert other.asked == []


async def test_the_secret_of_a_registration_goes_the_way_the_server_wants() -> None:
    async with scene(people="headless") as it:
        it.server.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        it.server.registration = {"client_secret": "s3cret"}
        await it.call()

        (form,) = it.server.redeemed
        assert (form["client_id"], form["client_secret"]) == ("client-1", "s3cret")


HOSTILE: dict[str, Callable[[Scene], None]] = {}


def hostile(name: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def keep(turn: Callable[[Scene], None]) -> Callable[[Scene], None]:
        HOSTILE[name] = turn
        return turn

    return keep


@hostile("its metadata is another issuer's")
def _(it: Scene) -> None:
    it.server.metadata = {"issuer": "https://honest.example"}


@hostile("its issuer has a slash more")
def _(it: Scene) -> None:
    it.server.metadata = {"issuer": f"{it.server.issuer}/"}


@hostile("it does not check PKCE")
def _(it: Scene) -> None:
    it.server.metadata = {"code_challenge_methods_supported": None}


@hostile("it checks PKCE in plain alone")
def _(it: Scene) -> None:
    it.server.metadata = {"code_challenge_methods_supported": ["plain"]}


@hostile("people would run a script")
def _(it: Scene) -> None:
    it.server.metadata = {"authorization_endpoint": "javascript:alert(1)"}


@hostile("people would open a file")
def _(it: Scene) -> None:
    it.server.metadata = {"authorization_endpoint": "file:///etc/passwd"}


@hostile("its token endpoint is a data URL")
def _(it: Scene) -> None:
    it.server.metadata = {"token_endpoint": "data:application/json,{}"}


@hostile("its token endpoint is without TLS elsewhere")
def _(it: Scene) -> None:
    it.server.metadata = {"token_endpoint": "http://tokens.example/token"}


@hostile("its token endpoint is where clouds keep credentials")
def _(it: Scene) -> None:
    it.server.metadata = {"token_endpoint": "https://169.254.169.254/token"}


@hostile("it registers inside")
def _(it: Scene) -> None:
    it.server.metadata = {"registration_endpoint": "https://10.0.0.7/register"}


@hostile("iss is another's")
def _(it: Scene) -> None:
    it.server.iss = "https://evil.example"


@hostile("iss has a slash more")
def _(it: Scene) -> None:
    it.server.iss = f"{it.server.issuer}/"


@hostile("iss is promised and missing")
def _(it: Scene) -> None:
    it.server.iss = None


@hostile("iss is another's, though none was promised")
def _(it: Scene) -> None:
    it.server.metadata = {"authorization_response_iss_parameter_supported": None}
    it.server.iss = "https://evil.example"


@hostile("it answers with an error of another issuer")
def _(it: Scene) -> None:
    it.server.iss = "https://evil.example"
    it.server.error = "SECRET"


@hostile("it gives no token")
def _(it: Scene) -> None:
    it.server.token = {"access_token": None}


@hostile("its token would change the request")
def _(it: Scene) -> None:
    it.server.token = {"access_token": "a\r\nx-evil: SECRET"}


@hostile("its token is of another kind")
def _(it: Scene) -> None:
    it.server.token = {"token_type": "DPoP"}


@hostile("it refuses in words")
def _(it: Scene) -> None:
    said = {"error": "SECRET", "error_description": "SECRET"}
    it.server.overrides["/token"] = document(said, 400)


@hostile("it does not register")
def _(it: Scene) -> None:
    it.server.metadata = {"registration_endpoint": None}


@hostile("it refuses to register, in words")
def _(it: Scene) -> None:
    said = {"error": "invalid_redirect_uri", "error_description": "SECRET"}
    it.server.overrides["/register"] = document(said, 400)


@hostile("it wants a proof nobody here knows")
def _(it: Scene) -> None:
    it.server.registration = {"token_endpoint_auth_method": "private_key_jwt"}


@hostile("the service's metadata is for another service")
def _(it: Scene) -> None:
    it.service.described = {"resource": "https://evil.example/mcp"}


@hostile("the service's metadata is for what is beside it")
def _(it: Scene) -> None:
    it.service.described = {"resource": f"{it.service.url}/mcp2"}


@hostile("the service names no authorization server")
def _(it: Scene) -> None:
    it.service.described = {"authorization_servers": []}


@hostile("the service names a server inside")
def _(it: Scene) -> None:
    it.service.described = {"authorization_servers": ["https://192.168.0.1"]}


@hostile("the service keeps its metadata inside")
def _(it: Scene) -> None:
    it.service.challenge = 'Bearer resource_metadata="https://169.254.169.254/latest/meta-data"'


@hostile("the service's metadata is no JSON")
def _(it: Scene) -> None:
    it.service.overrides["/.well-known/oauth-protected-resource/mcp"] = Said(200, b"<html>")


@hostile("the service leads its metadata inside")
def _(it: Scene) -> None:
    away = Said(302, b"", [("location", "http://169.254.169.254/latest")])
    it.service.overrides["/.well-known/oauth-protected-resource/mcp"] = away


@hostile("a document is huge")
def _(it: Scene) -> None:
    huge = Said(200, b'{"issuer": "' + b"x" * exchange.LARGEST_BYTES + b'"}')
    it.server.overrides["/.well-known/oauth-authorization-server"] = huge


@pytest.mark.parametrize("turn", HOSTILE.values(), ids=HOSTILE)
async def test_of_a_hostile_server_nothing_is_used_and_no_word_is_repeated(
    turn: Callable[[Scene], None],
) -> None:
    async with scene(people="headless") as it:
        turn(it)
        with pytest.raises((AuthorizationFailed, AuthorizationUnavailable)) as failure:
            await it.call()

        assert it.service.calls == []
        assert "SECRET" not in failure.value.public + failure.value.private
        assert "evil" not in failure.value.public
        assert len(it.server.authorizations) <= 1


@pytest.mark.parametrize("turn", [HOSTILE[name] for name in HOSTILE if name.startswith("iss")])
async def test_a_code_whose_sender_is_in_doubt_is_not_redeemed(
    turn: Callable[[Scene], None],
) -> None:
    async with scene(people="headless") as it:
        turn(it)
        with pytest.raises(AuthorizationFailed):
            await it.call()

        assert len(it.server.authorizations) == 1
        assert it.server.redeemed == []


async def test_iss_that_nobody_promised_is_right_where_it_is_the_same() -> None:
    async with scene(people="headless") as it:
        it.server.metadata = {"authorization_response_iss_parameter_supported": None}
        await it.call()

        it.server.iss = None
        it.service.refused.add("token-1")
        assert it.tools == ["token-1"]


async def test_a_server_that_never_finishes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "_ANSWER_SECONDS", 0.2)
    async with scene(people="headless") as it:
        place = "/.well-known/oauth-authorization-server"
        it.server.overrides[place] = Said(200, b"x" * 100, slowly=True)
        began = time.monotonic()

        with pytest.raises(AuthorizationUnavailable):
            await it.call()

        assert time.monotonic() - began < 3


async def test_a_service_that_knows_no_metadata_is_found_at_its_well_known_places() -> None:
    async with scene(people="headless") as it:
        it.service.challenge = 'Bearer realm="x"'
        await it.call()

        assert it.service.paths("GET") == ["/.well-known/oauth-protected-resource/mcp"]


async def test_a_grant_holds_for_the_resource_it_was_given_for_alone() -> None:
    async with scene() as it:
        holder = Holder("acme", ANN, "s")
        elsewhere = Grant(it.server.issuer, "https://other.example/mcp", "client-1", "of-another")
        await it.grants.save(holder, elsewhere)

        with pytest.raises(ConsentNeeded):
            await it.call(ANN)

        assert all(one.token is None for one in it.service.asked)


async def test_a_person_who_declines_is_told_so() -> None:
    async with scene(people="headless") as it:
        it.server.error = "access_denied"

        with pytest.raises(AuthorizationFailed) as failure:
            await it.call()

        assert "access_denied" in failure.value.private
        assert it.server.redeemed == []


async def test_a_person_at_the_desk_signs_in_while_the_proxy_starts(tmp_path: Path) -> None:
    server = AuthorizationServer()
    service = Service(server)
    shown: asyncio.Queue[str] = asyncio.Queue()

    async def visit() -> None:
        """What the person's browser does with the address it is shown."""
        async with HttpClient() as browser:
            origin, target = Origin.locate(await shown.get())
            sent = await browser.request(HttpRequest(origin, "GET", target), math.inf)
            origin, target = Origin.locate(sent.header("location") or "")
            page = await browser.request(HttpRequest(origin, "GET", target), math.inf)
            assert page.status == 200

    async with asyncio.timeout(20), at(server, service), asyncio.TaskGroup() as group:
        record = Upstream(
            "proxied",
            UpstreamKind.MCP_HTTP,
            url=f"{service.url}/mcp",
            connector=Connector(user_grants=UserGrants()),
        )
        group.create_task(visit())
        async with (
            at_desk(shown.put_nowait, opens_browser=False) as oauth,
            open_proxy(load(None, {}), record, tmp_path, oauth),
        ):
            assert ("tools/list", "token-1") in service.calls
    journal = b"".join(path.read_bytes() for path in (tmp_path / "audit").rglob("*.*"))
    assert b"token-1" not in journal


async def test_a_server_that_wants_consent_is_no_use_without_a_way_to_give_it(
    tmp_path: Path,
) -> None:
    record = Upstream(
        "proxied",
        UpstreamKind.MCP_HTTP,
        url="http://127.0.0.1:9/mcp",
        connector=Connector(user_grants=UserGrants()),
    )

    with pytest.raises(InvalidValue, match="public_url"):
        async with open_proxy(load(None, {}), record, tmp_path):
            pass


async def test_a_fixed_token_beside_those_of_callers_is_refused(tmp_path: Path) -> None:
    record = Upstream(
        "proxied",
        UpstreamKind.MCP_HTTP,
        url="http://127.0.0.1:9/mcp",
        headers=(("Authorization", "Bearer of-everybody"),),
        connector=Connector(user_grants=UserGrants()),
    )

    with pytest.raises(InvalidValue, match="Authorization header"):
        async with headless() as oauth, open_proxy(load(None, {}), record, tmp_path, oauth):
            pass
