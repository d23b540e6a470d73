"""Mutual TLS with a real handshake, and certificates that change while the gateway runs."""

import asyncio
import os
import ssl
import tempfile
import time
from pathlib import Path

import pytest

from bascule.gateway.connector import ClientTls
from bascule.upstreams.credentials.certificates import ClientCertificate
from bascule.upstreams.http1 import HttpClient, Origin
from bascule.upstreams.secrets import SecretResolver, SecretUnavailable
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.references import Kind
from bascule.upstreams.secrets.resolver import Freshness
from bascule.upstreams.secrets.sources import Files, Stored
from fakes.certificates import Authority, Pair


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def resolver(ttl: float = 0) -> SecretResolver:
    stored = Stored(SecretBox([b"k" * 32]))
    return SecretResolver(stored, {Kind.FILE: Files()}, Freshness(ttl, 600))


def made(tls: ClientTls, reader: SecretResolver | None = None) -> ClientCertificate:
    return ClientCertificate("t", tls, reader or resolver())


def server_context(authority: Authority, folder: Path) -> ssl.SSLContext:
    """Of a server that asks for certificates of `authority`."""
    pair = authority.issue("server")
    chain = folder / "server.pem"
    chain.write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.load_verify_locations(cadata=authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_a_server_sees_the_certificate_and_its_own_authority_is_believed(
    authority: Authority, tmp_path: Path
) -> None:
    seen: list[str] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject = writer.get_extra_info("peercert")["subject"]
        seen.append(dict(one[0] for one in subject)["commonName"])
        writer.close()

    pair = authority.issue("gateway")
    certificate = made(ClientTls(pair.certificate, pair.key, authority.certificate))
    context = server_context(authority, tmp_path)
    async with asyncio.timeout(5):
        server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server, HttpClient(tls=certificate.context) as client:
            await client.connect(Origin("https", "localhost", port), time.monotonic() + 5)
            while not seen:
                await asyncio.sleep(0)
        await certificate.close()
    assert seen == ["gateway"]


async def test_settings_are_kept_while_their_texts_are_the_same(
    authority: Authority, tmp_path: Path
) -> None:
    file, pair = tmp_path / "pair.pem", authority.issue("gateway")
    file.write_text(pair.certificate + pair.key)
    reference = f"${{file:{file}}}"
    certificate = made(ClientTls(reference, reference))
    first = await certificate.context()
    assert await certificate.context() is first
    other = authority.issue("gateway")
    file.write_text(other.certificate + other.key)
    assert await certificate.context() is not first


async def test_without_authorities_those_of_the_system_count(authority: Authority) -> None:
    pair = authority.issue("gateway")
    with_own = await made(ClientTls(authorities=authority.certificate)).context()
    with_systems = await made(ClientTls(pair.certificate, pair.key)).context()
    assert [dict(one["subject"][0])["commonName"] for one in with_own.get_ca_certs()] == [
        "Test authority"
    ]
    assert len(with_systems.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs())
    for context in (with_own, with_systems):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def unusable(authority: Authority) -> dict[str, ClientTls]:
    pair, other = authority.issue("a"), authority.issue("b")
    locked = authority.issue("c", password=b"hunter2")
    return {
        "another key": ClientTls(pair.certificate, other.key),
        "a locked key": ClientTls(locked.certificate, locked.key),
        "no key": ClientTls(pair.certificate, "hunter2"),
        "no certificate": ClientTls("hunter2", pair.key),
        "no authority": ClientTls(authorities="hunter2"),
        "half an authority": ClientTls(authorities=authority.certificate[:200]),
        "not ascii": ClientTls(authorities="ü"),
    }


@pytest.mark.parametrize(
    "case",
    ["another key", "a locked key", "no key", "no certificate", "no authority",
     "half an authority", "not ascii"],
)  # fmt: skip
async def test_what_is_no_certificate_is_named_and_not_repeated(
    authority: Authority, case: str
) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        await made(unusable(authority)[case]).context()
    assert "connector's tls" in caught.value.private
    assert "hunter2" not in caught.value.private


async def test_a_reference_that_leads_nowhere_fails() -> None:
    with pytest.raises(SecretUnavailable) as caught:
        await made(ClientTls(authorities="${file:/nowhere}")).context()
    assert "${file:/nowhere} names no file" in caught.value.private


async def test_where_memory_cannot_hold_a_file_a_private_one_does(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pair: Pair = authority.issue("gateway")
    await made(ClientTls(pair.certificate, pair.key)).context()
    assert list(tmp_path.iterdir()) == []
