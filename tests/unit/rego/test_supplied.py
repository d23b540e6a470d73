import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.rego.supplied import REFUSED, supplied


def _call(name: str, *arguments: object) -> Any:
    return supplied()[name][1](*arguments)


def test_digests_are_those_that_everybody_knows() -> None:
    assert _call("crypto.md5", "") == "d41d8cd98f00b204e9800998ecf8427e"
    assert _call("crypto.sha1", "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert _call("crypto.sha256", "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
    assert _call("crypto.hmac.md5", "what do ya want for nothing?", "Jefe") == (
        "750c783e6ab0b503eaa86e310a5db738"  # RFC 2202, test case 2
    )


def test_the_number_of_arguments_is_what_the_function_takes() -> None:
    for name, (arguments, function) in supplied().items():
        if name in REFUSED:
            with pytest.raises(ValueError, match=f"{name} is not available: "):
                function(*[""] * arguments)
        elif name.startswith("crypto"):
            function(*[""] * arguments)


@pytest.mark.parametrize("name", ["crypto.sha256", "crypto.hmac.equal", "net.cidr_intersects"])
@pytest.mark.parametrize("wrong", [1, None, ["a"], {"a": 1}])
def test_what_is_no_text_is_refused(name: str, wrong: object) -> None:
    arguments, function = supplied()[name]
    with pytest.raises(TypeError, match="expects a string"):
        function(*[wrong] * arguments)


def test_comparing_digests_looks_at_all_of_them() -> None:
    assert _call("crypto.hmac.equal", "é", "é")
    assert not _call("crypto.hmac.equal", "a", "ab")


def test_an_address_is_no_range() -> None:
    with pytest.raises(ValueError, match="no range"):
        _call("net.cidr_intersects", "10.0.0.0", "10.0.0.0/8")


def test_ranges_of_different_kinds_do_not_meet() -> None:
    assert not _call("net.cidr_intersects", "0.0.0.0/0", "::/0")


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_ranges_intersect_alike_from_both_sides(one: int, size: int, two: int, other: int) -> None:
    first, second = (
        f"{ipaddress.ip_address(number)}/{bits}" for number, bits in ((one, size), (two, other))
    )
    shared = min(size, other)
    expected = one >> (32 - shared) == two >> (32 - shared)
    assert _call("net.cidr_intersects", first, second) is expected
    assert _call("net.cidr_intersects", second, first) is expected


def test_ranges_are_merged_by_kind() -> None:
    merged = _call("net.cidr_merge", ["10.0.0.0/25", "10.0.0.128/25", "::1", "10.0.1.7"])
    assert merged == {"10.0.0.0/24", "::1/128", "10.0.1.7/32"}
    with pytest.raises(TypeError, match="array or a set"):
        _call("net.cidr_merge", "10.0.0.0/25")
