"""TLS, client certificates and trusted proxies, over real sockets, at every door."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import uvloop
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from bascule.app import tls
from bascule.app.instance import LOCAL_TENANT, Instance, open_instance
from bascule.app.serving import base_url, bind, listen, listen_config
from bascule.cli.trust import tls_of
from bascule.gateway.issuer import CertificateRule
from bascule.gateway.principal import KeyRecord, Principal
from bascule.identity.api_keys import new_key
from bascule.settings.loading import load
from bascule.storage.repositories.certificate_rules import CertificateRules
from bascule.storage.repositories.tenants import Tenants
from bascule.transports.certificates import read_pem
from fakes import mcp
from fakes.certificates import Authority, Pair

AUTHORITY = Authority()
SPIFFE = "spiffe://example.org/agents/desk"
AGENT = AUTHORITY.client("desk", uris=[SPIFFE])
RULE = CertificateRule("agents", LOCAL_TENANT, "URI:spiffe://example.org/agents/*", ("user",))
LABEL = f"cert:agents:URI:{SPIFFE}"
ADMIN = new_key()
OWNER = Principal(LOCAL_TENANT, "owner", frozenset({"admin"}), frozenset({"system_admin"}), "key-1")


def on_uvloop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run `test` on the loop that instances run on, whose TLS is its own."""

    @wraps(test)
    def run(*given: Any, **named: Any) -> None:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        runner.run(test(*given, **named))
        runner.close()  # not where it failed: uvloop waits for what was left open

    return run


@dataclass(slots=True)
class Site:
    """A gateway as it is served, and what a caller needs to reach it."""

    url: str
    folder: Path
    instance: Instance
    stop: asyncio.Event

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def context(self, pair: Pair | None = None, **options: Any) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=AUTHORITY.certificate)
        if pair is not None:
            path = self.folder / f"client-{abs(hash(pair.certificate))}.pem"
            path.write_text(pair.certificate + pair.key)
            context.load_cert_chain(path)
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def client(self, pair: Pair | None = None, **headers: str) -> httpx2.AsyncClient:
        verify = self.context(pair) if self.url.startswith("https") else True
        return httpx2.AsyncClient(
            base_url=self.url, verify=verify, headers=headers, timeout=10, trust_env=False
        )

    async def allow(self, rule: CertificateRule = RULE) -> None:
        await self._change(lambda rules: rules.put(rule))

    async def forbid(self, name: str = "agents") -> None:
        await self._change(lambda rules: rules.delete(name))

    async def _change(self, work: Callable[[CertificateRules], Awaitable[object]]) -> None:
        async with self.instance.database.change(author="test") as session:
            tenant = await Tenants(session).get(LOCAL_TENANT)
            await work(CertificateRules(session, tenant.id))
        await self.instance.live.refresh()

    def records(self) -> list[dict[str, Any]]:
        segments = sorted((self.folder / "data" / "audit").glob("*.jsonl"))
        return [json.loads(line) for one in segments for line in one.read_text().splitlines()]

    def last_record(self) -> dict[str, Any]:
        return self.records()[-1]


@asynccontextmanager
async def site(folder: Path, *, secure: bool = True, **server: Any) -> AsyncGenerator[Site]:
    given: dict[str, object] = {"server.port": 0, **{f"server.{k}": v for k, v in server.items()}}
    if secure:
        renew(folder, AUTHORITY.issue("gw"))
        (folder / "ca.pem").write_text(AUTHORITY.certificate)
        given["server.tls_certificate"] = str(folder / "gw.pem")
        given["server.tls_key"] = str(folder / "gw.key")
        given.setdefault("server.client_ca", str(folder / "ca.pem"))
    loaded = load(None, {}, given)
    config = listen_config(loaded.settings.server)
    listener = bind(config)
    ready, stop = asyncio.Event(), asyncio.Event()
    keys = {ADMIN.digest: KeyRecord("key-1", OWNER)}

    async def until_stopped() -> None:
        await stop.wait()

    async with (
        asyncio.timeout(60),
        open_instance(loaded, folder / "data", keys) as instance,
        asyncio.TaskGroup() as group,
    ):
        serve = listen(
            instance.front,
            listener,
            config,
            on_ready=ready.set,
            on_drain=lambda: None,
            until=until_stopped(),
        )
        group.create_task(serve)
        await ready.wait()
        try:
            yield Site(base_url(listener, config), folder, instance, stop)
        finally:
            stop.set()


def renew(folder: Path, pair: Pair) -> None:
    (folder / "gw.pem").write_text(pair.certificate)
    (folder / "gw.key").write_text(pair.key)


# Doors. Each tells the status that a caller gets there.

LIST = mcp.modern("tools/list", {})


def head(message: dict[str, Any] = LIST) -> dict[str, str]:
    unwanted = {"host", "authorization"}
    return {k: v for k, v in mcp.headers_of(message).items() if k.lower() not in unwanted}


async def lane(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    async with at.client(pair, **head(), **headers) as client:
        return (await client.post("/mcp", json=LIST)).status_code


async def asgi(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    async def pieces() -> AsyncIterator[bytes]:
        yield json.dumps(LIST).encode()

    async with at.client(pair, **head(), **headers) as client:
        return (await client.post("/mcp", content=pieces())).status_code


async def sessions(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    message = mcp.legacy("tools/list", {})
    async with at.client(pair, **head(message), **headers) as client:
        return (await client.post("/mcp", json=message)).status_code


async def rest(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    async with at.client(pair, **headers) as client:
        return (await client.get("/api/mcp/tools")).status_code


async def stream(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    async with at.client(pair, **headers) as client, client.stream("GET", "/mcp/sse") as opened:
        if opened.status_code != 200:
            return opened.status_code
        told = [line async for line in first_event(opened)]
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        sent = await client.post(told[-1].removeprefix("data: "), json=ping)
        return 200 if sent.status_code == 202 else 500


async def first_event(opened: httpx2.Response) -> AsyncIterator[str]:
    async for line in opened.aiter_lines():
        yield line
        if line.startswith("data: "):
            return


async def web_socket(at: Site, pair: Pair | None, headers: dict[str, str]) -> int:
    secure = at.url.startswith("https")
    address = f"{'wss' if secure else 'ws'}://127.0.0.1:{at.port}/mcp/ws"
    tls_context = at.context(pair) if secure else None
    try:
        async with connect(
            address,
            subprotocols=[Subprotocol("mcp")],
            additional_headers=headers,
            ssl=tls_context,
            proxy=None,
        ) as opened:
            await opened.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
            return 200 if "result" in json.loads(await opened.recv()) else 500
    except InvalidStatus as refused:
        return refused.response.status_code


Visit = Callable[[Site, Pair | None, dict[str, str]], Awaitable[int]]
DOORS: dict[str, Visit] = {
    "lane": lane,
    "asgi": asgi,
    "sessions": sessions,
    "rest": rest,
    "sse": stream,
    "websocket": web_socket,
}
doors = pytest.mark.parametrize("door", DOORS)


# Client certificates of the connection.


@doors
@on_uvloop
async def test_a_certificate_identifies_its_bearer_at_every_door(tmp_path: Path, door: str) -> None:
    async with site(tmp_path) as at:
        visit = DOORS[door]
        assert await visit(at, AGENT, {}) == 401
        await at.allow()
        assert await visit(at, AGENT, {}) == 200
        assert await visit(at, None, {}) == 401
        assert await visit(at, None, {"authorization": f"Bearer {ADMIN.secret}"}) == 200
        await at.forbid()
        assert await visit(at, AGENT, {}) == 401


@on_uvloop
async def test_the_record_names_who_called_and_through_which_agent(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.allow()
        await lane(at, AGENT, {})
        record = at.last_record()
        assert (record["user"], record["peer"]) == (LABEL, "127.0.0.1")
        await lane(at, AGENT, {"authorization": f"Bearer {ADMIN.secret}"})
        record = at.last_record()
        assert (record["user"], record["agent"]) == ("owner", LABEL)


@on_uvloop
async def test_a_rule_that_is_taken_away_counts_on_connections_that_are_open(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as at, at.client(AGENT, **head()) as client:
        await at.allow()
        assert (await client.post("/mcp", json=LIST)).status_code == 200
        await at.forbid()
        assert (await client.post("/mcp", json=LIST)).status_code == 401
        await at.allow()
        assert (await client.post("/mcp", json=LIST)).status_code == 200


@on_uvloop
async def test_a_channel_ends_when_the_rule_of_its_caller_is_gone(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.allow()
        async with connect(
            f"wss://127.0.0.1:{at.port}/mcp/ws",
            subprotocols=[Subprotocol("mcp")],
            ssl=at.context(AGENT),
            proxy=None,
        ) as opened:
            ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})
            await opened.send(ping)
            assert "result" in json.loads(await opened.recv())
            await at.forbid()
            await opened.send(ping)
            assert "error" in json.loads(await opened.recv())
            await opened.wait_closed()
            assert opened.close_code == 1008


REFUSED = {
    "of another authority": Authority("Other").client("desk", uris=[SPIFFE]),
    "of a namesake": Authority().client("desk", uris=[SPIFFE]),
    "that has expired": AUTHORITY.client("desk", uris=[SPIFFE], is_over=True),
    "for servers only": AUTHORITY.client(
        "desk", uris=[SPIFFE], usage=ExtendedKeyUsageOID.SERVER_AUTH
    ),
}


@pytest.mark.parametrize("which", REFUSED)
@pytest.mark.parametrize("wanted", ["optional", "required"])
@on_uvloop
async def test_a_wrong_certificate_is_refused_in_the_handshake(
    tmp_path: Path, which: str, wanted: str
) -> None:
    async with site(tmp_path, client_certificates=wanted) as at:
        await at.allow()
        with pytest.raises((httpx2.TransportError, ssl.SSLError)) as failure:
            await lane(at, REFUSED[which], {})
        assert "alert" in str(failure.value).lower()
        assert await lane(at, AGENT, {}) == 200


@on_uvloop
async def test_required_certificates_are_required_before_a_request_is_read(tmp_path: Path) -> None:
    async with site(tmp_path, client_certificates="required") as at:
        await at.allow()
        assert await lane(at, AGENT, {}) == 200
        with pytest.raises(
            (httpx2.TransportError, ssl.SSLError), match=r"(?i)certificate required"
        ):
            await lane(at, None, {"authorization": f"Bearer {ADMIN.secret}"})


# The listener.


@on_uvloop
async def test_a_thousand_calls_go_over_connections_that_stay(tmp_path: Path) -> None:
    async with site(tmp_path) as at, at.client(AGENT, **head()) as client:
        await at.allow()

        async def some() -> list[int]:
            return [(await client.post("/mcp", json=LIST)).status_code for _ in range(50)]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(some()) for _ in range(20)]
        assert {status for task in tasks for status in task.result()} == {200}


@on_uvloop
async def test_http_1_1_is_agreed_on_over_the_newest_tls(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        context = at.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", at.port, ssl=context, server_hostname="localhost"
        )
        agreed = writer.get_extra_info("ssl_object")
        assert (agreed.selected_alpn_protocol(), agreed.version()) == ("http/1.1", "TLSv1.3")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        writer.close()


@on_uvloop
async def test_plain_http_is_told_to_speak_tls(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"https://" in answer


@on_uvloop
async def test_who_begins_no_handshake_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_MOST_WAITING", 20)
    async with site(tmp_path) as at:
        await at.allow()
        silent = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(15)]
        for _, writer in silent[:8]:
            writer.write(b"\x16\x03\x01")  # and then nothing
        assert await lane(at, AGENT, {}) == 200
        silent += [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(25)]
        assert await lane(at, AGENT, {}) == 200
        # More than may wait: the first have been given up.
        assert await silent[0][0].read() == b""
        for _, writer in silent:
            writer.close()


@on_uvloop
async def test_a_handshake_that_stalls_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_HANDSHAKE_SECONDS", 0.2)
    async with site(tmp_path) as at:
        for begun in (b"", b"\x16", b"\x16\x03\x01\x02\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(begun)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()


@on_uvloop
async def test_who_leaves_in_the_handshake_is_not_logged(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        with capture_logs() as logs:
            for begun in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
                for _ in range(5):
                    _, writer = await asyncio.open_connection("127.0.0.1", at.port)
                    writer.write(begun)
                    writer.close()
                    await writer.wait_closed()
            assert await lane(at, None, {}) == 401
        assert [log["event"] for log in logs if log["event"].startswith("tls.")] == []


@on_uvloop
async def test_renewed_certificates_count_at_once_and_drop_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_LOOK_SECONDS", 0.02)
    async with site(tmp_path) as at, at.client(AGENT, **head()) as client:
        await at.allow()
        assert (await client.post("/mcp", json=LIST)).status_code == 200
        before = await shown(at)
        (tmp_path / "gw.pem").write_text("broken")
        renewed = AUTHORITY.issue("renewed")
        assert await shown(at) == before
        renew(tmp_path, renewed)
        while await shown(at) == before:
            await asyncio.sleep(0)
        assert await shown(at) == read_pem(renewed.certificate.encode()).sha256
        assert (await client.post("/mcp", json=LIST)).status_code == 200


@on_uvloop
async def test_an_authority_that_is_taken_away_lets_nobody_new_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_LOOK_SECONDS", 0.02)
    async with site(tmp_path) as at:
        await at.allow()
        context = at.context(AGENT)
        assert await lane(at, AGENT, {}) == 200
        (tmp_path / "ca.pem").write_text(Authority("Another").certificate)
        while True:
            try:
                await lane(at, AGENT, {})
            except (httpx2.TransportError, ssl.SSLError):
                break
        assert context.session_stats()["hits"] == 0


async def shown(at: Site) -> str:
    """The SHA-256 of the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", at.port, ssl=at.context())
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return read_pem(ssl.DER_cert_to_PEM_cert(der).encode()).sha256


@on_uvloop
async def test_a_drain_ends_connections_that_stay(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.allow()
        async with at.client(AGENT, **head()) as client:
            assert (await client.post("/mcp", json=LIST)).status_code == 200
            at.stop.set()
            with suppress(httpx2.TransportError):
                while (await client.post("/mcp", json=LIST)).status_code in {200, 503}:
                    pass


@on_uvloop
async def test_commands_know_the_instance_of_this_machine_by_its_certificate(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as at:
        context = tls_of(at.url, str(tmp_path / "gw.pem"))
        assert context is not None
        async with httpx2.AsyncClient(base_url=at.url, verify=context) as client:
            assert (await client.get("/healthz")).status_code == 200
        (tmp_path / "other.pem").write_text(AUTHORITY.issue("127.0.0.1").certificate)
        other = tls_of(at.url, str(tmp_path / "other.pem"))
        assert other is not None
        async with httpx2.AsyncClient(base_url=at.url, verify=other) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get("/healthz")


# Trusted proxies.

FORWARDED = {
    "client-cert": ":" + "".join(AGENT.certificate.splitlines()[1:-1]) + ":",
    "ssl-client-cert": quote(AGENT.certificate),
    "x-amzn-mtls-clientcert-leaf": quote(AGENT.certificate, safe="+=/"),
    "x-amzn-mtls-clientcert": quote(AGENT.certificate + AUTHORITY.certificate, safe="+=/"),
    "x-forwarded-client-cert": f'By=spiffe://gw;Hash={"0" * 64},Cert="{quote(AGENT.certificate)}"',
}


@pytest.fixture
def authorities(tmp_path: Path) -> str:
    path = tmp_path / "authorities.pem"
    path.write_text(AUTHORITY.certificate)
    return str(path)


@pytest.mark.parametrize("header", FORWARDED)
@on_uvloop
async def test_a_trusted_proxy_hands_the_certificate_on(
    tmp_path: Path, header: str, authorities: str
) -> None:
    options = {"client_ca": authorities} if header == "x-amzn-mtls-clientcert" else {}
    async with site(
        tmp_path, secure=False, trusted_proxies="127.0.0.1", certificate_header=header, **options
    ) as at:
        await at.allow()
        brought = {header: FORWARDED[header], "x-forwarded-for": "192.0.2.1, 203.0.113.9"}
        assert await lane(at, None, brought) == 200
        record = at.last_record()
        assert (record["user"], record["peer"]) == (LABEL, "203.0.113.9")
        assert await lane(at, None, {}) == 401
        assert await lane(at, None, {header: "nonsense"}) == 401


async def denied_peer(at: Site) -> str:
    """The address in the record of the last refusal, which nobody waited for."""
    while not (found := [one for one in at.records() if one["status"] == "denied"]):
        await asyncio.sleep(0.01)
    return found[-1]["peer"]


@doors
@on_uvloop
async def test_a_proxy_is_believed_at_every_door_and_a_stranger_at_none(
    tmp_path: Path, door: str
) -> None:
    visit = DOORS[door]
    brought = {
        "x-forwarded-client-cert": f"Hash={'0' * 64};URI={SPIFFE}",
        "x-forwarded-for": "203.0.113.9",
    }
    options: dict[str, Any] = {"secure": False, "certificate_header": "x-forwarded-client-cert"}
    async with site(tmp_path / "one", trusted_proxies="127.0.0.1", **options) as at:
        await at.allow()
        assert await visit(at, None, brought) == 200
        await at.forbid()
        assert await visit(at, None, brought) == 401
        assert await denied_peer(at) == "203.0.113.9"
    async with site(tmp_path / "two", trusted_proxies="10.0.0.0/8", **options) as at:
        await at.allow()
        assert await visit(at, None, brought) == 401
        assert await denied_peer(at) == "127.0.0.1"


@doors
@on_uvloop
async def test_a_forwarded_certificate_cannot_replace_that_of_the_connection(
    tmp_path: Path, door: str
) -> None:
    other = AUTHORITY.client("other", uris=["spiffe://example.org/others/x"])
    async with site(
        tmp_path, trusted_proxies="10.0.0.0/8", certificate_header="ssl-client-cert"
    ) as at:
        await at.allow()
        assert await DOORS[door](at, other, {"ssl-client-cert": quote(AGENT.certificate)}) == 401


@pytest.mark.parametrize("door", ["lane", "asgi", "sessions", "rest", "sse"])
@on_uvloop
async def test_a_certificate_header_that_comes_twice_is_refused(tmp_path: Path, door: str) -> None:
    targets = {"rest": b"GET /api/mcp/tools", "sse": b"GET /mcp/sse"}
    body = json.dumps(LIST).encode()
    lines = [f"{name}: {value}".encode() for name, value in head().items()]
    twice = [f"client-cert: {FORWARDED['client-cert']}".encode()] * 2
    if door == "asgi":
        lines.append(b"connection: close, keep-alive")
    async with site(
        tmp_path, secure=False, trusted_proxies="127.0.0.1", certificate_header="client-cert"
    ) as at:
        await at.allow()
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        start = targets.get(door, b"POST /mcp") + b" HTTP/1.1"
        length = b"content-length: %d" % len(body)
        lines = [start, b"host: localhost", length, *lines, *twice, b"", body]
        writer.write(b"\r\n".join(lines))
        assert b" 400 " in await reader.readline()
        writer.close()


@on_uvloop
async def test_a_proxy_speaks_tls_with_a_certificate_that_is_only_its_own(tmp_path: Path) -> None:
    proxy = AUTHORITY.client("proxy", uris=["spiffe://example.org/agents/proxy"])
    async with site(
        tmp_path, trusted_proxies="127.0.0.1", certificate_header="ssl-client-cert"
    ) as at:
        await at.allow()
        assert await lane(at, proxy, {}) == 401
        assert await lane(at, proxy, {"ssl-client-cert": quote(AGENT.certificate)}) == 200
        assert at.last_record()["user"] == LABEL


@on_uvloop
async def test_a_forwarded_certificate_whose_time_is_over_is_refused(tmp_path: Path) -> None:
    over = AUTHORITY.client("desk", uris=[SPIFFE], is_over=True)
    async with site(
        tmp_path, secure=False, trusted_proxies="127.0.0.1", certificate_header="ssl-client-cert"
    ) as at:
        await at.allow()
        assert await lane(at, None, {"ssl-client-cert": quote(over.certificate)}) == 401


@on_uvloop
async def test_one_connection_of_a_proxy_carries_many_clients(tmp_path: Path) -> None:
    """The same head is judged once; another client's is another head."""
    other = AUTHORITY.client("other", uris=["spiffe://example.org/agents/other"])
    async with site(
        tmp_path, secure=False, trusted_proxies="127.0.0.1", certificate_header="ssl-client-cert"
    ) as at:
        await at.allow()
        users: list[str] = []
        async with at.client(**head()) as client:
            for pair in (AGENT, AGENT, other, None, AGENT):
                headers = {"ssl-client-cert": quote(pair.certificate)} if pair else {}
                status = (await client.post("/mcp", json=LIST, headers=headers)).status_code
                users.append(at.last_record()["user"] if status == 200 else str(status))
        uri = "cert:agents:URI:spiffe://example.org/agents"
        assert users == [LABEL, LABEL, f"{uri}/other", "401", LABEL]


@on_uvloop
async def test_a_listener_without_tls_keeps_its_socket_for_uvicorn(tmp_path: Path) -> None:
    async with site(tmp_path, secure=False) as at:
        with socket.create_connection(("127.0.0.1", at.port), timeout=5):
            assert await lane(at, None, {"authorization": f"Bearer {ADMIN.secret}"}) == 200
