"""Definitions that mean the same to everybody who reads them."""

import json

import pytest

from bascule.upstreams.mcp.definitions import DEEPEST, check_members


@pytest.mark.parametrize(
    "definition",
    [
        b'{"name":"a","description":"EVIL","description":"good"}',
        b'{"name":"a","inputSchema":{"properties":{"x":{"type":"a","type":"b"}}}}',
        b'[{"a":1},{"b":1,"b":1}]',
    ],
)
def test_a_member_that_is_there_twice_is_refused(definition: bytes) -> None:
    with pytest.raises(ValueError, match="twice"):
        check_members(definition)


def test_one_name_at_several_places_is_fine() -> None:
    check_members(b'{"name":"a","x":{"name":"b"},"y":[{"name":"c"},{"name":"d"}]}')


def test_what_nests_too_deep_is_refused() -> None:
    deep: object = 1
    for _ in range(DEEPEST):
        deep = [deep]
    check_members(json.dumps(deep).encode())
    with pytest.raises(ValueError, match="levels deep"):
        check_members(json.dumps([deep]).encode())
    with pytest.raises((ValueError, RecursionError)):
        check_members(b"[" * 100_000 + b"]" * 100_000)
