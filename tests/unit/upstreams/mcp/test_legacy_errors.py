"""A legacy upstream's pages to visit first become questions; other errors stay what they are."""

import json

import msgspec
import pytest

from bascule.upstreams.mcp.failures import rpc_error
from bascule.upstreams.mcp.legacy_errors import elicitations_of, in_modern_terms

PAGE = {"mode": "url", "message": "Sign in", "url": "https://example.com", "elicitationId": "e"}


def test_each_page_becomes_a_question() -> None:
    error = rpc_error(-32042, "Sign in first", {"elicitations": [PAGE, PAGE]})
    requests = elicitations_of(error)
    assert list(requests) == ["q1", "q2"]
    assert json.loads(msgspec.json.encode(requests["q1"].members())) == {
        "method": "elicitation/create",
        "params": PAGE,
    }


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (-32602, {"elicitations": [PAGE]}),
        (-32042, None),
        (-32042, {"elicitations": "none"}),
        (-32042, {"elicitations": [{"mode": "form"}]}),
        (-32042, {"elicitations": [{"mode": "song"}]}),
        (-32042, {"elicitations": []}),
    ],
)
def test_what_names_no_pages_has_none(code: int, data: object) -> None:
    assert elicitations_of(rpc_error(code, "No", data)) == {}


def test_a_capability_that_is_missing_gets_the_code_of_the_modern_era() -> None:
    data = {"requiredCapabilities": {"sampling": {}}}
    error = in_modern_terms(rpc_error(-32602, "sampling is required", data))
    assert error.rpc_code == -32021
    assert error.rpc_message == "sampling is required"
    assert error.rpc_data == data


@pytest.mark.parametrize(
    ("code", "data"),
    [(-32602, None), (-32602, {"requiredCapabilities": 1}), (-1, {"requiredCapabilities": {}})],
)
def test_other_errors_stay_as_they_came(code: int, data: object) -> None:
    error = rpc_error(code, "No", data)
    assert in_modern_terms(error) is error
