import ssl

from bascule.upstreams.http1.failures import (
    CertificateRefused,
    Disconnected,
    cut_off,
    failed,
    timed_out,
    unreachable,
)
from bascule.upstreams.http1.messages import Origin

ORIGIN = Origin("http", "internal.test", 8080)


def test_only_the_private_half_names_the_origin() -> None:
    for failure in (
        unreachable(ORIGIN, "refused"),
        timed_out(ORIGIN, "connecting"),
        failed(ORIGIN, "it sent noise"),
    ):
        assert "internal.test" not in failure.public
        assert failure.private.startswith("http://internal.test:8080: ")


def test_caller_learns_whether_the_service_may_have_acted() -> None:
    assert "Nothing was sent" in unreachable(ORIGIN, "refused").public
    assert "may have acted" in timed_out(ORIGIN, "connecting").public
    assert "Nothing was sent" in timed_out(ORIGIN, "connecting", sent=False).public
    assert "may have acted" in failed(ORIGIN, "it sent noise").public


def test_disconnect_names_its_cause() -> None:
    cut = Disconnected(sent=True, answered=False, cause=ConnectionResetError("reset"))
    assert "reset" in str(cut)


def test_a_service_that_ends_the_handshake_has_not_acted() -> None:
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    refused = cut_off(ORIGIN, Disconnected(sent=True, answered=False, cause=alert))
    assert isinstance(refused, CertificateRefused)
    assert refused.error.code == "E4001"
    assert "nothing was done" in refused.public
    assert "TLSV13_ALERT_CERTIFICATE_REQUIRED" in refused.private


def test_any_other_end_may_have_come_after_acting() -> None:
    alert = ssl.SSLError(1, "alert")
    for reason, answered in (("TLSV1_ALERT_INTERNAL_ERROR", False), ("ALERT_UNKNOWN_CA", True),
                             (None, False)):  # fmt: skip
        alert.reason = reason  # type: ignore[assignment]
        cut = Disconnected(sent=True, answered=answered, cause=alert)
        assert "may have acted" in cut_off(ORIGIN, cut).public
