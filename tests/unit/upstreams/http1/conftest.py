"""Loopback servers that answer byte for byte what a test says, on both event loops."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bascule.upstreams.http1.messages import Origin

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable["Server"]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Server:
    """A listening server; `requests` holds what it read, in order."""

    def __init__(self, answers: tuple[bytes | None, ...], script: Script | None) -> None:
        self.origin = Origin("http", "127.0.0.1", 1)
        self.requests: list[bytes] = []
        self.connections = 0
        self.open_connections = 0
        self._answers = answers
        self._script = script or self._answer
        self._changed = asyncio.Condition()
        self._sessions: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def until(self, reached: Callable[["Server"], bool]) -> None:
        """Wait until `reached`."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: reached(self))

    async def listen(self, tls: ssl.SSLContext | None, name: str) -> None:
        self._listener = await asyncio.start_server(self._session, "127.0.0.1", 0, ssl=tls)
        port = self._listener.sockets[0].getsockname()[1]
        self.origin = Origin("https" if tls else "http", name, port)

    async def stop(self) -> None:
        assert self._listener is not None
        self._listener.close()
        sessions = list(self._sessions)
        for task in sessions:
            task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*sessions, return_exceptions=True)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        self.connections += 1
        await self._count(1)
        try:
            await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._sessions.discard(task)
            await self._count(-1)

    async def _count(self, step: int) -> None:
        async with self._changed:
            self.open_connections += step
            self._changed.notify_all()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (*self._answers, b""):
            self.requests.append(await _read_request(reader))
            await self._count(0)
            if answer is None:
                return
            writer.write(answer)
            await writer.drain()
        await reader.read()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers. The n-th of `answers` answers the n-th request of every connection.

    An answer of None closes the connection; beyond the last one requests stay unanswered.
    `script` plays a connection instead.
    """
    servers: list[Server] = []

    async def start(
        *answers: bytes | None,
        script: Script | None = None,
        tls: ssl.SSLContext | None = None,
        name: str = "127.0.0.1",
    ) -> Server:
        server = Server(answers, script)
        await server.listen(tls, name)
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@dataclass(frozen=True)
class Certificates:
    """A certificate authority, and a server certificate of it for localhost and 127.0.0.1."""

    ca_file: Path
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=1))
        )

    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    leaf = (
        builder(name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file, chain = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        leaf.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return Certificates(ca_file, context)
