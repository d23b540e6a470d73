import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.capabilities import (
    NO_CAPABILITIES,
    TASKS_EXTENSION,
    UI_EXTENSION,
    read_capabilities,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def read(**declared: object) -> object:
    return read_capabilities(json.dumps(declared).encode())


def test_no_capabilities_are_always_the_same() -> None:
    assert read_capabilities(b"{}") is NO_CAPABILITIES
    assert not NO_CAPABILITIES.can_be_asked


@pytest.mark.parametrize(
    ("declared", "method", "mode", "allowed"),
    [
        ({"elicitation": {}}, "elicitation/create", None, True),
        ({"elicitation": {}}, "elicitation/create", "form", True),
        ({"elicitation": {}}, "elicitation/create", "url", False),
        ({"elicitation": {"url": {}}}, "elicitation/create", "url", True),
        ({"elicitation": {"url": {}}}, "elicitation/create", None, False),
        ({"elicitation": {"url": {}, "form": {}}}, "elicitation/create", None, True),
        ({"sampling": {}}, "sampling/createMessage", None, True),
        ({"roots": {"listChanged": True}}, "roots/list", None, True),
        ({"sampling": {}}, "roots/list", None, False),
        ({"sampling": True}, "sampling/createMessage", None, False),
        ({"sampling": {}, "roots": {}, "elicitation": {}}, "tools/call", None, False),
        ({}, "elicitation/create", None, False),
    ],
)
def test_only_what_was_declared_may_be_asked(
    declared: dict[str, object], method: str, mode: str | None, allowed: bool
) -> None:
    capabilities = read_capabilities(json.dumps(declared).encode())
    assert capabilities.allows(method, mode) is allowed
    if allowed:
        assert capabilities.can_be_asked


def test_what_is_not_relayed_is_left_out_and_the_rest_is_in_order() -> None:
    extensions = {UI_EXTENSION: {}, TASKS_EXTENSION: {}, "com.example/other": {}}
    one = read_capabilities(
        json.dumps({"sampling": {}, "experimental": {"x": {}}, "extensions": extensions}).encode()
    )
    other = read_capabilities(
        json.dumps({"extensions": dict(reversed(extensions.items())), "sampling": {}}).encode()
    )
    assert one == other
    assert one.tasks
    assert set(json.loads(one.raw)["extensions"]) == {UI_EXTENSION, TASKS_EXTENSION}
    assert "experimental" not in json.loads(one.raw)
    assert read(extensions=[]) == NO_CAPABILITIES


@pytest.mark.parametrize("raw", [b"[]", b"5", b"{", b"", b'{"a":"\xff"}', b'{"a":' + b"[" * 3000])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="must be a JSON object"):
        read_capabilities(raw)


def test_more_than_any_honest_client_declares_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than"):
        read(sampling={"x": "y" * 5000})


@given(st.dictionaries(st.sampled_from(["elicitation", "sampling", "roots", "extensions"]), JSON))
def test_whatever_is_declared_is_read_or_refused_and_reads_the_same_again(
    declared: dict[str, object],
) -> None:
    capabilities = read_capabilities(json.dumps(declared).encode())
    assert read_capabilities(capabilities.raw) == capabilities
