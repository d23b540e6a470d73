import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from booking.dealers import Place, measure_distance_km

PLACES = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize("city", ["Pune", "pune", " PUNE "])
def test_four_dealers_near_pune_do_regular_service(client: TestClient, city: str) -> None:
    query = {"city": city, "service_type": "regular"}
    answer = client.get("/v1/dealers", params=query).json()
    assert answer["total"] == 4
    assert (answer["dealers"][0]["name"], answer["dealers"][0]["distance_km"]) == (
        "Arena Hinjewadi",
        3.0,
    )
    assert {dealer["city"] for dealer in answer["dealers"]} == {"Pune"}
    distances = [dealer["distance_km"] for dealer in answer["dealers"]]
    assert distances == sorted(distances)


def test_only_dealers_offering_the_service_are_listed(client: TestClient) -> None:
    body_shops = client.get("/v1/dealers?city=Pune&service_type=body").json()["dealers"]
    assert [dealer["dealer_id"] for dealer in body_shops] == ["PUN04"]


def test_distance_is_measured_from_the_given_point(client: TestClient) -> None:
    answer = client.get("/v1/dealers?latitude=18.5913&longitude=73.7389").json()
    assert (answer["dealers"][0]["dealer_id"], answer["dealers"][0]["distance_km"]) == (
        "PUN01",
        0.0,
    )


def test_a_wide_radius_reaches_other_cities_and_a_narrow_one_does_not(client: TestClient) -> None:
    point = "/v1/dealers?latitude=18.5746&longitude=73.7613"
    wide = client.get(f"{point}&radius_km=150").json()["dealers"]
    assert {dealer["city"] for dealer in wide} == {"Pune", "Mumbai"}
    narrow = client.get(f"{point}&radius_km=5").json()["dealers"]
    assert [dealer["dealer_id"] for dealer in narrow] == ["PUN01"]


def test_nothing_in_reach_is_an_empty_list(client: TestClient) -> None:
    assert client.get("/v1/dealers?latitude=0&longitude=0").json()["dealers"] == []


@pytest.mark.parametrize("query", ["", "latitude=18.5", "longitude=73.7", "city=Pune&latitude=18"])
def test_an_incomplete_place_is_a_422_that_names_the_remedy(client: TestClient, query: str) -> None:
    answer = client.get(f"/v1/dealers?{query}")
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert message == "Give either city, or both latitude and longitude."


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("latitude=91&longitude=0", "latitude"),
        ("latitude=0&longitude=nan", "longitude"),
        ("city=Pune&radius_km=inf", "radius_km"),
        ("city=Pune&radius_km=0", "radius_km"),
        ("city=Pune&service_type=wash", "service_type"),
    ],
)
def test_a_value_out_of_range_is_a_422_that_names_the_field(
    client: TestClient, query: str, field: str
) -> None:
    answer = client.get(f"/v1/dealers?{query}")
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == [field]


def test_an_unserved_city_is_a_404_that_lists_the_served_ones(client: TestClient) -> None:
    answer = client.get("/v1/dealers?city=Atlantis")
    assert answer.status_code == 404
    assert answer.json()["error"]["details"]["cities"] == ["Bengaluru", "Delhi", "Mumbai", "Pune"]


def test_a_quarter_of_the_globe_measures_ten_thousand_kilometres() -> None:
    assert measure_distance_km(Place(0, 0), Place(90, 0)) == pytest.approx(10007.6, abs=0.1)


@given(PLACES, PLACES)
def test_distance_is_symmetric_and_at_most_half_the_globe(start: Place, end: Place) -> None:
    there, back = measure_distance_km(start, end), measure_distance_km(end, start)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= 20016
