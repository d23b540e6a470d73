"""JSON texts in answers."""

import json

import pytest
from pydantic import BaseModel

from bascule.api.rules.verbatim import JsonText, Verbatim, answer


class Box(BaseModel):
    """Something with JSON in it."""

    name: str
    data: Verbatim = None
    more: "list[Box]" = []


@pytest.mark.parametrize(
    "text", ["{}", '{"a":[1,2.50,"\\u00fc"],"b":null}', '"x"', "12345678901234567890"]
)
def test_a_text_is_in_the_answer_as_it_is(text: str) -> None:
    box = Box(name="ü", data=JsonText(text), more=[Box(name="in", data=JsonText(text))])
    response = answer(box, 201)
    assert (response.status_code, response.media_type) == (201, "application/json")
    assert bytes(response.body).decode() == (
        f'{{"name":"ü","data":{text},"more":[{{"name":"in","data":{text},"more":[]}}]}}'
    )


def test_elsewhere_the_text_is_the_value_that_it_says() -> None:
    box = Box(name="b", data=JsonText('{"a":[1]}'))
    assert box.model_dump() == {"name": "b", "data": {"a": [1]}, "more": []}
    assert json.loads(box.model_dump_json()) == box.model_dump()


def test_other_values_stay_and_no_text_is_taken_for_a_mark() -> None:
    boxes = Box(
        name="b",
        data={"plain": True},
        more=[Box(name=str(one), data=JsonText("1")) for one in range(12)],
    )
    said = json.loads(bytes(answer(boxes).body))
    assert said["data"] == {"plain": True}
    assert [one["data"] for one in said["more"]] == [1] * 12
