"""Addresses of gRPC services."""

import pytest

from bascule.upstreams.grpc.targets import Target


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("grpc://orders:50051", ("orders", 50051, False), "orders:50051"),
        ("grpcs://orders.example/", ("orders.example", 443, True), "orders.example:443"),
        ("grpc://[::1]:9", ("::1", 9, False), "[::1]:9"),
    ],
)
def test_an_address_is_read(url: str, target: tuple[str, int, bool], authority: str) -> None:
    found = Target.parse(url)
    assert found == target
    assert found.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "http://x:1",
        "orders:50051",
        "grpc://",
        "grpc://u:p@x:1",
        "grpc://x:1/path",
        "grpc://x:99999",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"grpc://|no host|ends with the port|Port"):
        Target.parse(url)
