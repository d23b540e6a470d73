"""The gateway's own certificate towards a service, and whom it believes there (mutual TLS)."""

import asyncio
import os
import ssl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from bascule.gateway.connector import ClientTls
from bascule.upstreams.flights import Flight
from bascule.upstreams.http1.settings import restrict
from bascule.upstreams.secrets import SecretResolver, SecretUnavailable


class _Texts(NamedTuple):
    certificate: str
    key: str
    authorities: str


class ClientCertificate:
    """TLS settings made of texts that may change: those of new connections follow.

    Use `context` as the TLS source of a client of its own.
    """

    def __init__(self, tenant: str, tls: ClientTls, resolver: SecretResolver) -> None:
        self._tenant = tenant
        self._tls = tls
        self._resolver = resolver
        self._texts: _Texts | None = None
        self._made: ssl.SSLContext | None = None
        self._flight: Flight[ssl.SSLContext] = Flight()

    async def context(self) -> ssl.SSLContext:
        """The settings for a connection that is about to be made.

        Raises:
            SecretUnavailable: a text cannot be read, or is no certificate, key or authority.
        """
        return await self._flight.join(self._context)

    async def close(self) -> None:
        """End what is under way."""
        await self._flight.close()

    async def _context(self) -> ssl.SSLContext:
        wanted = self._tls
        texts = _Texts(
            *[
                await self._resolver.resolve(self._tenant, text)
                for text in (wanted.certificate, wanted.key, wanted.authorities)
            ]
        )
        if self._made is None or texts != self._texts:
            self._made = await asyncio.to_thread(_make, texts)
            self._texts = texts
        return self._made


def _make(texts: _Texts) -> ssl.SSLContext:
    try:
        # None, not "": that would be authorities without any.
        context = ssl.create_default_context(cadata=texts.authorities or None)
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise _unusable("authorities", "certificates in PEM form", error) from None
    restrict(context)
    if texts.certificate:
        _load(context, texts)
    return context


def _load(context: ssl.SSLContext, texts: _Texts) -> None:
    pair = f"{texts.certificate.rstrip()}\n{texts.key.strip()}\n"
    try:
        with _as_file(pair.encode()) as path:
            # The password is asked for on the terminal otherwise, where nobody sits.
            context.load_cert_chain(path, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        what = "a certificate in PEM form and its own key, without a password"
        raise _unusable("certificate and key", what, error) from None


def _unusable(which: str, what: str, error: Exception) -> SecretUnavailable:
    reason = getattr(error, "reason", None) or type(error).__name__
    return SecretUnavailable(f"The {which} of this connector's tls: not {what} ({reason}).")


@contextmanager
def _as_file(content: bytes) -> Generator[str]:
    """`content` under a path, which is all that OpenSSL takes; in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("bascule")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # readable by its owner only
        file.write(content)
        file.flush()
        yield file.name
