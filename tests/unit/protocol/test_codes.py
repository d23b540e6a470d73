import pytest

from bascule.protocol import codes


def test_the_codes_are_those_of_the_specification() -> None:
    """Sources: JSON-RPC 2.0 section 5.1; basic/index "Error Codes"."""
    assert {
        codes.PARSE_ERROR: "Parse error",
        codes.INVALID_REQUEST: "Invalid Request",
        codes.METHOD_NOT_FOUND: "Method not found",
        codes.INVALID_PARAMS: "Invalid params",
        codes.INTERNAL_ERROR: "Internal error",
        codes.HEADER_MISMATCH: "HeaderMismatch",
        codes.MISSING_CLIENT_CAPABILITY: "MissingRequiredClientCapability",
        codes.UNSUPPORTED_VERSION: "UnsupportedProtocolVersion",
    } == {
        -32700: "Parse error",
        -32600: "Invalid Request",
        -32601: "Method not found",
        -32602: "Invalid params",
        -32603: "Internal error",
        -32020: "HeaderMismatch",
        -32021: "MissingRequiredClientCapability",
        -32022: "UnsupportedProtocolVersion",
    }


@pytest.mark.parametrize(
    "code", [-32602, -32603, -32700, -32019, -32000, -32100, -31999, 0, 1, 4711]
)
def test_a_code_that_means_the_same_everywhere_is_relayed(code: int) -> None:
    assert codes.relayable(code)


def test_a_missing_capability_of_the_caller_is_relayed() -> None:
    assert codes.relayable(codes.MISSING_CLIENT_CAPABILITY)


@pytest.mark.parametrize("code", [-32002, -32042, -32020, -32022, -32023, -32050, -32098, -32099])
def test_a_code_only_this_server_may_give_or_nobody_is_not_relayed(code: int) -> None:
    """Source: basic/index "Error Codes"."""
    assert not codes.relayable(code)
