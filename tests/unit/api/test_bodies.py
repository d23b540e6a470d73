import json
import re

import pytest
from pydantic import ValidationError

from bascule.api.bodies import Body
from unit.api.site import Site


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


def test_every_field_about_policies_and_elevations_is_described(site: Site) -> None:
    """In the OpenAPI document, whatever a request or an answer may have in it."""
    found = site.app.openapi()
    schemas = found["components"]["schemas"]
    about = ("/api/admin/polic", "/api/admin/elevations", "/api/elevations", "/api/mcp/explain")
    paths = {path: one for path, one in found["paths"].items() if path.startswith(about)}
    waiting, seen = [json.dumps(paths)], set[str]()
    while waiting:
        for name in re.findall(r"#/components/schemas/(\w+)", waiting.pop()):
            if name not in seen:
                seen.add(name)
                waiting.append(json.dumps(schemas[name]))
    assert {"PolicyCreate", "Draft", "Replayed", "ElevationSeen"} <= seen
    bare = [
        f"{name}.{field}"
        for name in sorted(seen - {"ErrorBody", "ErrorDetail", "Error"})
        for field, one in schemas[name].get("properties", {}).items()
        if not one.get("description")
    ]
    assert bare == []
