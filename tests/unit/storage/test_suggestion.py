import pytest

from bascule.storage.suggestion import did_you_mean


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("get_order", " Did you mean get_orders?"),
        ("GET_ORDERS", " Did you mean get_orders?"),
        ("x", ""),
        ("get_orders" * 1000, ""),
    ],
)
def test_only_what_is_alike_is_suggested(name: str, says: str) -> None:
    assert did_you_mean(name, ["get_orders", "purge"]) == says


def test_where_nothing_is_known_nothing_is_suggested() -> None:
    assert did_you_mean("x", []) == ""
