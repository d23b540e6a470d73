from bascule.gateway.errors import ErrorCode
from bascule.upstreams.mcp.failures import (
    EraMismatch,
    failed,
    rpc_error,
    timed_out,
    unreachable,
)


def test_error_of_the_upstream_is_carried_whole() -> None:
    error = rpc_error(-32021, "needs sampling", {"requiredCapabilities": {"sampling": {}}})
    assert (error.rpc_code, error.rpc_message) == (-32021, "needs sampling")
    assert error.public == "needs sampling"
    assert error.details == {
        "rpc_code": -32021,
        "rpc_data": {"requiredCapabilities": {"sampling": {}}},
    }


def test_refused_parameters_are_the_callers_to_change() -> None:
    assert rpc_error(-32602, "unknown tool").error is ErrorCode.INVALID_VALUE
    assert rpc_error(-32603, "oops").error is ErrorCode.UPSTREAM_FAILED


def test_error_without_or_with_endless_text_is_still_readable() -> None:
    assert rpc_error(-1, "").public != ""
    assert len(rpc_error(-1, "a" * 100_000).public) == 2000


def test_only_the_private_half_names_the_upstream() -> None:
    for failure in (
        unreachable("peer", "refused"),
        timed_out("peer", "starting it"),
        failed("peer", "it is silent"),
    ):
        assert "peer" not in failure.public
        assert failure.private.startswith("peer: ")


def test_caller_learns_whether_the_service_may_have_acted() -> None:
    assert "Nothing was sent" in unreachable("peer", "refused").public
    assert "Nothing was sent" in timed_out("peer", "starting it", sent=False).public
    assert "may have acted" in timed_out("peer", "waiting").public
    assert "may have acted" in failed("peer", "it is silent").public


def test_mismatch_keeps_its_reason() -> None:
    assert EraMismatch("it said 400").reason == "it said 400"
