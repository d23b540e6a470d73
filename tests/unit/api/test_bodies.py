import pytest
from pydantic import ValidationError

from bascule.api.bodies import Body


class Sample(Body):
    owner: str = ""
    domain: str = ""


def test_a_body_with_known_fields_is_taken() -> None:
    assert Sample.model_validate({"owner": "crm"}).owner == "crm"


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("ownr", "There is no such field; did you mean owner?"),
        ("zzzzzz", "There is no such field; there are owner, domain"),
    ],
)
def test_an_unknown_field_is_refused_with_what_may_be_meant(field: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("?", r"\?")):
        Sample.model_validate({field: "x"})


@pytest.mark.parametrize("value", [[], "x", None, 7])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate(value)


class Part(Body):
    size: int = 0


class Whole(Body):
    parts: tuple[Part, ...] = ()
    name: str = ""


def test_faults_of_parts_are_told_with_their_places_and_all_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({"parts": [{"siez": 1}, {"size": "x"}], "name": 3, "nmae": ""})
    said = {one["loc"]: one["msg"] for one in caught.value.errors()}
    assert said[("parts", 0, "siez")] == "There is no such field; did you mean size?"
    assert said[("nmae",)] == "There is no such field; did you mean name?"
    assert set(said) == {("parts", 0, "siez"), ("parts", 1, "size"), ("name",), ("nmae",)}


def test_a_long_name_of_a_field_is_not_repeated_whole() -> None:
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate({"x" * 10_000: 1})
    assert len(caught.value.errors()[0]["msg"]) < 300
