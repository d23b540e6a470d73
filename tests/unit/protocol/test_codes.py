import pytest

from bascule.protocol import codes


@pytest.mark.parametrize("code", [-32602, -32603, -32700, -32019, -32000, -31999, 0, 1, 4711])
def test_a_code_that_means_the_same_everywhere_is_relayed(code: int) -> None:
    assert codes.relayable(code)


def test_a_missing_capability_of_the_caller_is_relayed() -> None:
    assert codes.relayable(codes.MISSING_CLIENT_CAPABILITY)


@pytest.mark.parametrize("code", [-32002, -32042, -32020, -32022, -32023, -32050, -32099])
def test_a_code_only_this_server_may_give_or_nobody_is_not_relayed(code: int) -> None:
    """Source: basic/index "Error Codes"."""
    assert not codes.relayable(code)
