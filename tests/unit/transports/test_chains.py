from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from structlog.testing import capture_logs

from bascule.transports.certificates import UnreadableCertificate, read_pem
from bascule.transports.chains import Chains
from fakes.certificates import Authority

AUTHORITY = Authority("root")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(AUTHORITY.certificate)
    return path


def chain(*certificates: str) -> bytes:
    return quote("".join(certificates), safe="+=/").encode()


def test_a_certificate_of_an_accepted_authority_is_taken(file: Path) -> None:
    pem = AUTHORITY.client("agent", uris=["spiffe://x"]).certificate
    assert Chains(file).verify(chain(pem)) == read_pem(pem.encode())


def test_a_certificate_without_alternative_names_is_taken(file: Path) -> None:
    assert Chains(file).verify(chain(AUTHORITY.client("agent").certificate)).subject == "CN=agent"


def test_a_chain_leads_over_others(file: Path) -> None:
    middle = AUTHORITY.below("middle")
    pem = middle.client("agent").certificate
    assert Chains(file).verify(chain(pem, middle.certificate)).issuer == "CN=middle"
    with pytest.raises(UnreadableCertificate, match="not verified"):
        Chains(file).verify(chain(pem))


def over_one_that_may_not_sign() -> bytes:
    middle = AUTHORITY.below("no authority", may_sign=False)
    return chain(middle.client("agent").certificate, middle.certificate)


def of_a_namesake() -> bytes:
    other = Authority("root")
    return chain(other.client("agent").certificate, other.certificate)


@pytest.mark.parametrize(
    "value",
    [
        over_one_that_may_not_sign(),
        of_a_namesake(),
        chain(Authority("other").client("agent").certificate),
        chain(AUTHORITY.client("agent", is_over=True).certificate),
        chain(AUTHORITY.client("agent", usage=ExtendedKeyUsageOID.SERVER_AUTH).certificate),
        chain(AUTHORITY.client("agent").certificate, *[AUTHORITY.certificate] * 8),
        b"nonsense",
        b"",
    ],
)
def test_nothing_else_is_taken(file: Path, value: bytes) -> None:
    with pytest.raises(UnreadableCertificate):
        Chains(file).verify(value)


def test_the_authorities_are_read_anew_when_they_change(file: Path) -> None:
    now = 0.0
    chains = Chains(file, lambda: now)
    other = Authority("other")
    pem = chain(other.client("agent").certificate)
    file.write_text(other.certificate + AUTHORITY.certificate)
    with pytest.raises(UnreadableCertificate):
        chains.verify(pem)
    now = 5.0
    assert chains.verify(pem).issuer == "CN=other"
    now = 10.0
    assert chains.verify(pem).issuer == "CN=other"


def test_authorities_that_cannot_be_read_leave_the_old_ones(file: Path) -> None:
    now = 0.0
    chains = Chains(file, lambda: now)
    file.write_text("nonsense")
    now = 5.0
    with capture_logs() as logs:
        chains.verify(chain(AUTHORITY.client("agent").certificate))
    file.unlink()
    now = 10.0
    with capture_logs() as more:
        chains.verify(chain(AUTHORITY.client("agent").certificate))
    assert [log["event"] for log in [*logs, *more]] == ["proxy.authorities_not_read"] * 2


def test_without_authorities_there_is_nothing_to_verify_by(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Chains(tmp_path / "none.pem")
