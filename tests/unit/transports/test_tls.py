import contextlib
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bascule.transports.tls import Tls, TlsConfig, TlsUnusable, check_files, make_context
from fakes.certificates import Authority, Pair

AUTHORITY = Authority()
Change = Callable[[TlsConfig], TlsConfig]


@pytest.fixture
def config(tmp_path: Path) -> TlsConfig:
    paths = [tmp_path / name for name in ("server.pem", "server.key", "ca.pem")]
    pair = AUTHORITY.issue("gw")
    for path, text in zip(paths, (pair.certificate, pair.key, AUTHORITY.certificate), strict=True):
        path.write_text(text)
    return TlsConfig(paths[0], paths[1])


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, bytes]:
    """A handshake without a network: the server's side, and what it last had to say."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(4):
        for side in (theirs, ours):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return ours, to_client.read()


def client(pair: Pair | None = None, tmp_path: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=AUTHORITY.certificate)
    if pair is not None and tmp_path is not None:
        path = tmp_path / "client.pem"
        path.write_text(pair.certificate + pair.key)
        context.load_cert_chain(path)
    return context


def test_a_handshake_ends_in_the_newest_tls_and_http(config: TlsConfig) -> None:
    caller = client()
    caller.set_alpn_protocols(["h2", "http/1.1"])
    ours, _ = shake_hands(make_context(config), caller)
    assert (ours.version(), ours.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")


def test_older_than_tls_1_2_is_not_spoken(config: TlsConfig) -> None:
    context = make_context(config)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    spoken = {one["name"] for one in context.get_ciphers() if one["protocol"] == "TLSv1.2"}
    assert spoken
    assert all(name.startswith("ECDHE-") for name in spoken)
    assert all("GCM" in name or "CHACHA20" in name for name in spoken)


def test_the_key_may_stand_in_the_file_of_the_certificate(config: TlsConfig) -> None:
    assert config.key is not None
    config.certificate.write_text(config.certificate.read_text() + config.key.read_text())
    shake_hands(make_context(replace(config, key=None)), client())


@pytest.mark.parametrize(
    ("is_required", "mode"), [(False, ssl.CERT_OPTIONAL), (True, ssl.CERT_REQUIRED)]
)
def test_clients_are_asked_as_configured(config: TlsConfig, is_required: bool, mode: int) -> None:
    assert make_context(config).verify_mode is ssl.CERT_NONE
    asked = replace(
        config, client_ca=config.certificate.with_name("ca.pem"), requires_client=is_required
    )
    assert make_context(asked).verify_mode == mode


def test_an_authority_need_not_be_a_root(config: TlsConfig, tmp_path: Path) -> None:
    middle = AUTHORITY.below("middle")
    path = tmp_path / "middle.pem"
    path.write_text(middle.certificate)
    context = make_context(replace(config, client_ca=path, requires_client=True))
    ours, _ = shake_hands(context, client(middle.client("agent"), tmp_path))
    assert ours.getpeercert(binary_form=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, client(AUTHORITY.client("agent"), tmp_path))


def test_a_client_is_told_why_it_is_refused(config: TlsConfig) -> None:
    context = make_context(
        replace(config, client_ca=config.certificate.with_name("ca.pem"), requires_client=True)
    )
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(to_server, to_client, server_side=True)
    theirs = client().wrap_bio(to_client, to_server, server_hostname="localhost")
    with capture_logs() as logs:
        for side in (theirs, ours, theirs, ours):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert [log["reason"] for log in logs] == ["PEER_DID_NOT_RETURN_A_CERTIFICATE"]
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        theirs.read()
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN"):
        ours.do_handshake()


def test_failed_handshakes_do_not_fill_the_log(config: TlsConfig) -> None:
    context = make_context(config)
    with capture_logs() as logs:
        for _ in range(100):
            to_server = ssl.MemoryBIO()
            to_server.write(b"\x16\x03\x01\x00\x05nonsense of some length")
            with pytest.raises(ssl.SSLWantReadError):
                context.wrap_bio(to_server, ssl.MemoryBIO(), server_side=True).do_handshake()
    assert 1 <= len(logs) <= 4


def written(config: TlsConfig, name: str, text: str) -> Path:
    path = config.certificate.with_name(name)
    path.write_text(text)
    return path


FAULTS: dict[str, tuple[Change, str]] = {
    "no certificate file": (
        lambda one: replace(one, certificate=Path("/nowhere.pem")),
        r"server.tls_certificate: /nowhere.pem cannot be read: No such file",
    ),
    "no certificate in the file": (
        lambda one: replace(one, certificate=written(one, "odd.pem", "odd")),
        "holds no certificate in PEM form",
    ),
    "no key file": (
        lambda one: replace(one, key=Path("/nowhere.key")),
        "server.tls_key: /nowhere.key cannot be read",
    ),
    "no key in the file": (
        lambda one: replace(one, key=one.certificate),
        "server.tls_key: .* holds no private key",
    ),
    "no key beside the certificate": (
        lambda one: replace(one, key=None),
        "Set server.tls_key to the file",
    ),
    "an encrypted key": (
        lambda one: replace(one, key=written(one, "e", AUTHORITY.issue("x", b"secret").key)),
        "is encrypted",
    ),
    "the key of another certificate": (
        lambda one: replace(one, key=written(one, "o", AUTHORITY.issue("gw").key)),
        "is not that of the certificate",
    ),
    "no authorities": (
        lambda one: replace(one, client_ca=written(one, "none.pem", "")),
        "server.client_ca: .* holds no certificate",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_files_is_named(config: TlsConfig, fault: str) -> None:
    change, reason = FAULTS[fault]
    with pytest.raises(TlsUnusable, match=reason):
        make_context(change(config))


def test_a_broken_chain_behind_a_good_certificate_is_named(config: TlsConfig) -> None:
    text = config.certificate.read_text()
    config.certificate.write_text(f"{text}-----BEGIN CERTIFICATE-----\nAAAA\n")
    with pytest.raises(TlsUnusable, match=r"cannot be used|holds no certificate"):
        make_context(config)


def test_the_certificate_is_given_for_who_wants_to_know_more(config: TlsConfig) -> None:
    assert check_files(config).subject.rfc4514_string() == "CN=gw"


def renew(config: TlsConfig, pair: Pair) -> None:
    assert config.key is not None
    config.certificate.write_text(pair.certificate)
    config.key.write_text(pair.key)


def test_files_that_change_count_once_they_rest(config: TlsConfig) -> None:
    tls = Tls(config)
    before = tls.context
    tls.look()
    assert tls.context is before
    renew(config, AUTHORITY.issue("renewed"))
    with capture_logs() as logs:
        tls.look()
        assert tls.context is before
        tls.look()
        tls.look()
    assert tls.context is not before
    assert [log["event"] for log in logs] == ["tls.reloaded"]


def test_broken_files_leave_the_old_ones_in_force_and_are_logged_once(config: TlsConfig) -> None:
    tls = Tls(config)
    before = tls.context
    config.certificate.unlink()
    with capture_logs() as logs:
        for _ in range(4):
            tls.look()
    assert tls.context is before
    assert [log["event"] for log in logs] == ["tls.not_reloaded"]
    renew(config, AUTHORITY.issue("renewed"))
    tls.look()
    tls.look()
    assert tls.context is not before
