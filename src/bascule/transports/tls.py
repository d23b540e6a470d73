"""TLS of the listener: certificates and authorities from files, read anew when these change.

Sources: RFC 8446, RFC 9325 (recommendations for TLS 1.2 and later).
"""

import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.trickle import Trickle

# TLS 1.2 with forward secrecy and authenticated encryption only; 1.3 has nothing else.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_LOGGED_PER_SECOND: Final = 1

_log = structlog.get_logger(__name__)


class TlsUnusable(GatewayError):
    """The files do not make a TLS listener; the message says which, and what to do."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Files in PEM form. Without `key`, it is in the file of the certificate.

    Without `client_ca` no client is asked for a certificate; one that is not `requires_client`d
    may be left out, but not be wrong.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None
    requires_client: bool = False


class Tls:
    """The TLS of a listener. `context` is for the next handshake; `look` keeps it up to date."""

    def __init__(self, config: TlsConfig) -> None:
        """Read the files.

        Raises:
            TlsUnusable: says what is wrong with which file.
        """
        self._config = config
        self._used = self._seen = _versions(config)
        self.context = make_context(config)

    def look(self) -> None:
        """Read the files anew where they changed, and have not changed since the last look.

        What cannot be used is logged once and changes nothing: connections and handshakes go on
        with what was read before. May block for as long as the disk takes.
        """
        versions = _versions(self._config)
        settled, self._seen = versions == self._seen, versions
        if versions == self._used or not settled:
            return
        self._used = versions
        try:
            self.context = make_context(self._config)
        except TlsUnusable as failure:
            _log.error("tls.not_reloaded", reason=failure.public)
        else:
            _log.info("tls.reloaded", certificate=str(self._config.certificate))


def make_context(config: TlsConfig) -> ssl.SSLContext:
    """The context that `config` describes.

    Raises:
        TlsUnusable: says what is wrong with which file.
    """
    check_files(config)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _handshake_class()
    try:
        context.load_cert_chain(config.certificate, config.key, password=_no_password)
        if config.client_ca is not None:
            context.load_verify_locations(config.client_ca)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise TlsUnusable(f"{config.certificate} cannot be used: {error}.") from None
    if config.client_ca is not None:
        # Whoever is named is believed, be it a root or one below it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        required = config.requires_client
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def check_files(config: TlsConfig) -> x509.Certificate:
    """See whether the files belong together; gives the certificate of the listener.

    Raises:
        TlsUnusable: says what is wrong with which file.
    """
    certificate = _certificates("server.tls_certificate", config.certificate)[0]
    if config.key is None:
        key = _key("server.tls_certificate", config.certificate)
    else:
        key = _key("server.tls_key", config.key)
    if key.public_key() != certificate.public_key():
        raise TlsUnusable(
            f"The key in {config.key or config.certificate} is not that of the certificate in "
            f"{config.certificate}. Give the two that belong together; the certificate of this "
            "gateway comes first in its file, before those of its authorities."
        )
    if config.client_ca is not None:
        _certificates("server.client_ca", config.client_ca)
    return certificate


def _certificates(setting: str, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(setting, path))
    except ValueError:
        raise TlsUnusable(
            f"{setting}: {path} holds no certificate in PEM form, or a broken one. It must begin "
            "with -----BEGIN CERTIFICATE-----."
        ) from None


def _key(setting: str, path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(_read(setting, path), None)
    except TypeError:
        raise TlsUnusable(
            f"{setting}: the private key in {path} is encrypted. Decrypt it, as with openssl pkey, "
            "and have only this user read the file."
        ) from None
    except ValueError:
        missing = setting == "server.tls_certificate"
        hint = "Set server.tls_key to the file that has it." if missing else "Give its PEM file."
        raise TlsUnusable(f"{setting}: {path} holds no private key. {hint}") from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TlsUnusable(
            f"{setting}: {path} cannot be read: {reason}. Correct the path, or let the user of "
            "this process read the file."
        ) from None


def _versions(config: TlsConfig) -> tuple[tuple[int, int, int] | None, ...]:
    files = (config.certificate, config.key, config.client_ca)
    return tuple(_version(path) for path in files if path is not None)


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _no_password() -> str:
    # Without it OpenSSL asks on the terminal, where nobody may sit.
    raise ValueError("the private key is encrypted")


def _handshake_class() -> type[ssl.SSLObject]:
    class Handshake(_Handshake):
        failures = Trickle(_LOGGED_PER_SECOND)

    return Handshake


class _Handshake(ssl.SSLObject):
    """Tells clients why a handshake fails.

    The event loop drops what OpenSSL has to say where the handshake raises, and the client sees
    a connection that is cut. It sends it where the handshake wants to read on.
    """

    failures: Trickle
    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLSyscallError):
            raise
        except ssl.SSLError as failure:
            self._failure = failure
            held_back = self.failures.take(time.monotonic())
            if held_back is not None:
                reason = failure.reason or str(failure)
                _log.info("tls.handshake_failed", reason=reason, held_back=held_back)
            raise ssl.SSLWantReadError from failure
