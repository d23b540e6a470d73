from bascule.upstreams.http1.failures import Disconnected, failed, timed_out, unreachable
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
