"""The table of styles, as OpenAPI 3.1.1 prints it."""

import pytest

from bascule.gateway.tool import ParameterLocation, RestParameter
from bascule.upstreams.rest.styles import writer_for

PATH, QUERY, HEADER, COOKIE = ParameterLocation
ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}


def write(
    location: ParameterLocation, style: str, value: object, *, explode: bool, name: str = "color"
) -> str:
    return writer_for(RestParameter(name, name, location, style, explode))(value)


@pytest.mark.parametrize(
    ("location", "style", "explode", "written"),
    [
        (
            PATH,
            "matrix",
            False,
            [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"],
        ),
        (
            PATH,
            "matrix",
            True,
            [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
        ),
        (PATH, "label", False, ["", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
        (PATH, "label", True, ["", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
        (PATH, "simple", False, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
        (PATH, "simple", True, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        (
            QUERY,
            "form",
            False,
            ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
        ),
        (
            QUERY,
            "form",
            True,
            ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
        ),
        (
            QUERY,
            "spaceDelimited",
            False,
            [
                "color=",
                "color=blue",
                "color=blue%20black%20brown",
                "color=R%20100%20G%20200%20B%20150",
            ],
        ),
        (
            QUERY,
            "spaceDelimited",
            True,
            ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
        ),
        (
            QUERY,
            "pipeDelimited",
            False,
            [
                "color=",
                "color=blue",
                "color=blue%7Cblack%7Cbrown",
                "color=R%7C100%7CG%7C200%7CB%7C150",
            ],
        ),
        (
            QUERY,
            "deepObject",
            True,
            [
                "color=",
                "color=blue",
                "color=blue&color=black&color=brown",
                "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            ],
        ),
        (HEADER, "simple", False, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
        (HEADER, "simple", True, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        (
            COOKIE,
            "form",
            False,
            ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
        ),
        (
            COOKIE,
            "form",
            True,
            ["color=", "color=blue", "color=blue; color=black; color=brown", "R=100; G=200; B=150"],
        ),
    ],
)
def test_styles_are_written_as_the_table_says(
    location: ParameterLocation, style: str, explode: bool, written: list[str]
) -> None:
    values = ("", "blue", ARRAY, OBJECT)

    assert [write(location, style, value, explode=explode) for value in values] == written


@pytest.mark.parametrize("style", ["form", "spaceDelimited", "pipeDelimited", "deepObject"])
@pytest.mark.parametrize("explode", [True, False])
@pytest.mark.parametrize("value", [[], {}, [None], {"a": None}])
def test_nothing_to_send_is_nothing(style: str, explode: bool, value: object) -> None:
    assert write(QUERY, style, value, explode=explode) == ""


def test_delimiters_within_values_are_encoded() -> None:
    assert write(QUERY, "form", ["a,b", "c&d=e"], explode=False) == "color=a%2Cb,c%26d%3De"
    assert write(QUERY, "pipeDelimited", ["a|b"], explode=False) == "color=a%7Cb"
    assert write(PATH, "simple", ["a,b", "c/d"], explode=False) == "a%2Cb,c%2Fd"
    assert write(PATH, "matrix", "a;b=c", explode=False) == ";color=a%3Bb%3Dc"


def test_names_are_encoded() -> None:
    assert write(QUERY, "form", "x", explode=True, name="q[x]&y") == "q%5Bx%5D%26y=x"
    assert write(QUERY, "form", {"a&b": "c"}, explode=True) == "a%26b=c"


def test_deep_objects_nest_and_their_arrays_repeat() -> None:
    value = {"a": {"b": 1}, "c": [1, 2]}

    assert write(QUERY, "deepObject", value, explode=True, name="f") == (
        "f%5Ba%5D%5Bb%5D=1&f%5Bc%5D=1&f%5Bc%5D=2"
    )


def test_what_is_nested_where_no_style_says_how_is_json() -> None:
    assert write(QUERY, "form", [{"a": 1}], explode=True) == "color=%7B%22a%22%3A1%7D"


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (PATH, "%7B%22k%22%3A%22%5Cu00fc%22%7D"), (QUERY, "color=%7B%22k%22%3A%22%5Cu00fc%22%7D"),
        (HEADER, '{"k":"\\u00fc"}'), (COOKIE, "color={%22k%22:%22%5Cu00fc%22}"),
    ],
)  # fmt: skip
def test_a_json_parameter_is_one_text_in_ascii(location: ParameterLocation, text: str) -> None:
    assert write(location, "json", {"k": "ü"}, explode=False) == text


def test_a_style_of_another_location_has_no_writer() -> None:
    with pytest.raises(LookupError):
        writer_for(RestParameter("x", "x", QUERY, "matrix", explode=False))
