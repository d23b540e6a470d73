import re
from contextlib import suppress

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from booking.customers import normalise_mobile

DIGITS = st.text("0123456789", min_size=10, max_size=10)
GAPS = st.lists(st.sampled_from(["", "", " ", "  ", "-", "\u00a0"]), min_size=14, max_size=14)


def test_rahul_sharma_of_pune_is_found_by_his_mobile(client: TestClient) -> None:
    assert client.get("/v1/customers", params={"mobile": "9876543210"}).json() == {
        "customer_id": "C1001",
        "name": "Rahul Sharma",
        "mobile": "9876543210",
        "city": "Pune",
        "email": "rahul.sharma@example.com",
        "vehicles": ["MH12AB1234"],
    }


@pytest.mark.parametrize(
    "query", ["%2B91 98765 43210", "+919876543210", "09876543210", "98765-43210"]
)
def test_prefixes_and_spaces_are_ignored(client: TestClient, query: str) -> None:
    # An unescaped "+" is decoded as a space, which is how most hand-made links arrive.
    assert client.get(f"/v1/customers?mobile={query}").json()["customer_id"] == "C1001"


def test_several_vehicles_are_listed_in_order(client: TestClient) -> None:
    customer = client.get("/v1/customers?mobile=9000000002").json()
    assert customer["vehicles"] == ["MH12ZZ0002", "MH14ZZ0012"]


def test_unknown_mobile_is_a_404_that_says_what_to_check(client: TestClient) -> None:
    answer = client.get("/v1/customers?mobile=9111111111")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "customer_unknown"
    assert "Check it" in answer.json()["error"]["message"]


@pytest.mark.parametrize("mobile", ["", "12345", "987654321x", "98765432101", "९८७६५४३२१०"])
def test_malformed_mobile_is_a_422_that_names_the_field(client: TestClient, mobile: str) -> None:
    answer = client.get("/v1/customers", params={"mobile": mobile})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "mobile"


@given(DIGITS, st.sampled_from(["", "0", "91", "+91"]), GAPS)
def test_any_spelling_of_a_number_becomes_its_ten_digits(
    digits: str, prefix: str, gaps: list[str]
) -> None:
    spelled = "".join(
        gap + character for gap, character in zip(gaps, prefix + digits, strict=False)
    )
    assert normalise_mobile(spelled) == digits


@given(st.one_of(st.text(), st.from_regex(r"[+0-9 ]{8,16}", fullmatch=True)))
def test_normalising_gives_ten_digits_that_stay_the_same_or_refuses(text: str) -> None:
    with suppress(ValueError):
        mobile = normalise_mobile(text)
        assert re.fullmatch("[0-9]{10}", mobile)
        assert normalise_mobile(mobile) == mobile
