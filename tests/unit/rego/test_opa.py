import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bascule.gateway.rego import RegoAnswer, RegoDocument, RegoFailed
from bascule.rego.opa import OpaEngine
from fakes.certificates import Authority
from fakes.opa import Opa, opa_server

POLICY = """package bascule.authz
import rego.v1
allow if input.user in data.users
reason := sprintf("%s is not known", [input.user]) if not allow
broken := 1 / input.nought
"""


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    with opa_server(token="s3cret") as server:
        server.put_policy("authz.rego", POLICY)
        server.put_data("users", ["ann"])
        yield server


def _soon() -> float:
    return time.monotonic() + 30


async def _failure(engine: OpaEngine, *inputs: bytes, deadline: float = 0.0) -> str:
    with pytest.raises(RegoFailed) as caught:
        await engine.evaluate("acme", None, inputs or (b"{}",), deadline or _soon())
    assert "opa" not in caught.value.public.lower()
    return caught.value.private


async def test_the_server_decides_by_its_own_documents(opa: Opa) -> None:
    async with OpaEngine(opa.url, "s3cret", 10.0) as engine:
        answers = await engine.evaluate("acme", None, [b'{"user":"ann"}', b'{"user":"b"}'], _soon())
    assert answers == [RegoAnswer(allow=True), RegoAnswer(allow=False, reason="b is not known")]


async def test_many_inputs_are_answered_in_their_order(opa: Opa) -> None:
    users = ["ann" if number % 7 == 0 else str(number) for number in range(200)]
    inputs = [json.dumps({"user": user}).encode() for user in users]
    async with OpaEngine(opa.url + "/", "s3cret", 10.0) as engine:
        answers = await engine.evaluate("acme", None, inputs, _soon())
    assert [one.allow for one in answers] == [user == "ann" for user in users]
    assert answers[1].reason == "1 is not known"


async def test_an_error_of_the_policy_denies(opa: Opa) -> None:
    async with OpaEngine(opa.url, "s3cret", 10.0) as engine:
        why = await _failure(engine, b'{"user":"ann"}', b'{"user":"ann","nought":0}')
    assert "status 500: internal_error" in why
    assert "divide by zero" in why


async def test_a_token_that_is_not_accepted_denies_and_says_which(opa: Opa) -> None:
    async with OpaEngine(opa.url, "", 10.0) as engine:
        assert "status 401: see the token, policy.opa_token" in await _failure(engine)


async def test_a_document_of_a_policy_cannot_be_asked_about(opa: Opa) -> None:
    async with OpaEngine(opa.url, "s3cret", 10.0) as engine:
        with pytest.raises(RegoFailed) as caught:
            await engine.evaluate("acme", RegoDocument("d", {}), [b"{}"], _soon())
    assert "documents of its own" in caught.value.private


class _Candid(BaseHTTPRequestHandler):
    """Answers with what the input asks for."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        if wanted.get("wait"):
            self.release.wait(30)
        body = json.dumps(wanted["body"]).encode() if "body" in wanted else wanted["raw"].encode()
        self.send_response(wanted.get("status", 200))
        for name, value in wanted.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def _candid(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    _Candid.release = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Candid)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        _Candid.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _asking(**wanted: Any) -> bytes:
    return json.dumps(wanted).encode()


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, RegoAnswer(allow=False)),
        ({"decision_id": "1", "result": {}}, RegoAnswer(allow=False)),
        ({"result": {"allow": True, "other": [1]}}, RegoAnswer(allow=True)),
        ({"result": {"allow": 1}}, RegoAnswer(allow=False)),
        ({"result": {"allow": "true", "reason": ["x"]}}, RegoAnswer(allow=False)),
        ({"result": {"reason": "x" * 2000}}, RegoAnswer(allow=False, reason="x" * 1000)),
    ],
)
async def test_only_true_itself_is_leave(body: object, answer: RegoAnswer) -> None:
    with _candid() as url:
        async with OpaEngine(url, "", 10.0) as engine:
            found = await engine.evaluate("acme", None, [_asking(body=body)], _soon())
    assert found == [answer]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"raw": "<html>"}, "not as expected"),
        ({"body": []}, "not as expected"),
        ({"body": {"result": True}}, "not as expected"),
        ({"raw": "{" * 100_000}, "not as expected"),
        ({"raw": "x" * 1_100_000}, "larger than"),
        ({"raw": "", "status": 503}, "status 503"),
        (
            {"raw": "", "status": 307, "headers": {"Location": "http://127.0.0.1:1/"}},
            "a redirect, which is not followed",
        ),
        ({"body": {"code": "c", "message": "m"}, "status": 400}, "status 400: c m"),
    ],
)
async def test_what_is_no_decision_denies(wanted: dict[str, Any], why: str) -> None:
    with _candid() as url:
        async with OpaEngine(url, "", 10.0) as engine:
            assert why in await _failure(engine, _asking(**wanted))


async def test_a_server_that_is_silent_denies_in_time() -> None:
    with _candid() as url:
        async with OpaEngine(url, "", 0.2) as engine:
            silent = _asking(body={}, wait=True)
            assert "no answer within 0.2 seconds" in await _failure(engine, silent)
            past = time.monotonic() - 1
            assert "deadline" in await _failure(engine, silent, deadline=past)


async def test_a_server_that_is_not_there_denies() -> None:
    with _candid() as url:
        pass
    async with OpaEngine(url, "", 10.0) as engine:
        assert "cannot be reached" in await _failure(engine)


async def test_a_certificate_that_nobody_vouches_for_denies(tmp_path: Path) -> None:
    authority = Authority()
    pair = authority.issue("opa")
    (tmp_path / "both.pem").write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with _candid(context) as url:
        async with OpaEngine(url, "", 10.0) as engine:
            assert "cannot be reached" in await _failure(engine, _asking(body={}))
        trusting = ssl.create_default_context(cadata=authority.certificate)
        async with OpaEngine(url, "", 10.0, tls=trusting) as engine:
            given = _asking(body={"result": {"allow": True}})
            assert (await engine.evaluate("acme", None, [given], _soon()))[0].allow


async def test_questions_of_one_tenant_that_hang_do_not_keep_another_from_asking() -> None:
    with _candid() as url:
        async with OpaEngine(url, "", 30.0) as engine, asyncio.TaskGroup() as group:
            hanging = [_asking(body={}, wait=True)] * 20
            hogs = [
                group.create_task(engine.evaluate("hog", None, hanging, _soon())) for _ in range(20)
            ]
            given = _asking(body={"result": {"allow": True}})
            for _ in range(20):
                assert (await engine.evaluate("modest", None, [given], _soon()))[0].allow
            assert not any(one.done() for one in hogs)
            _Candid.release.set()
