"""Certificates for tests: an authority, and what it signs."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM form."""

    certificate: str
    key: str


class Authority:
    """Signs certificates for a day."""

    def __init__(self, name: str = "Test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = self._builder(self._name, self._key.public_key())
        self._certificate = builder.add_extension(constraints, critical=True).sign(
            self._key, hashes.SHA256()
        )

    @property
    def certificate(self) -> str:
        """What those need who are to believe it."""
        return _pem(self._certificate)

    def issue(self, name: str, password: bytes | None = None) -> Pair:
        """A certificate for `name`, localhost and 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.DNSName(name),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        certificate = (
            self._builder(_name(name), key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        encryption = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        return Pair(_pem(certificate), text.decode())

    def client(
        self,
        name: str,
        *,
        uris: Sequence[str] = (),
        emails: Sequence[str] = (),
        more: Sequence[x509.GeneralName] = (),
        is_over: bool = False,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> Pair:
        """A certificate for a client, with these alternative names and no others."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(name), key.public_key(), is_over=is_over)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(one) for one in uris]
        names += [*(x509.RFC822Name(one) for one in emails), *more]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Pair(_pem(builder.sign(self._key, hashes.SHA256())), _plain(key))

    def below(self, name: str, *, may_sign: bool = True) -> "Authority":
        """An authority that this one vouches for, unless it may not sign."""
        lower = Authority(name)
        constraints = x509.BasicConstraints(ca=may_sign, path_length=None)
        lower._certificate = (
            self._builder(lower._name, lower._key.public_key())
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return lower

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, is_over: bool = False
    ) -> x509.CertificateBuilder:
        start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=48 if is_over else 1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=1))
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _plain(key: ec.EllipticCurvePrivateKey) -> str:
    form, hidden = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
