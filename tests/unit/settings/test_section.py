import pytest
from pydantic import ValidationError

from bascule.settings.section import Section, setting


class Colours(Section):
    """What colours there are."""

    wall: str = setting("white", "Colour of the wall.", accepts="a colour", reloads=True)


def test_a_setting_has_its_default_its_meaning_and_its_facts() -> None:
    assert Colours().wall == "white"
    schema = Colours.model_json_schema()["properties"]["wall"]
    assert schema["description"] == "Colour of the wall."
    assert schema["x-setting"] == {"unit": "", "accepts": "a colour", "reloads": True}


def test_what_a_section_does_not_know_is_refused_without_being_shown() -> None:
    with pytest.raises(ValidationError) as failure:
        Colours.model_validate({"floor": "hush"})
    assert "hush" not in str(failure.value)


def test_a_section_does_not_change() -> None:
    with pytest.raises(ValidationError):
        Colours().wall = "blue"  # type: ignore[misc]
