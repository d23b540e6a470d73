"""The table of styles, as OpenAPI 3.2 prints it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.tool import ParameterLocation, RestParameter, RestPart
from bascule.upstreams.rest.styles import writer_for
from bascule.upstreams.rest.values import Unwritable

PATH, QUERY, HEADER, COOKIE, WHOLE = ParameterLocation
ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}


def write(
    location: ParameterLocation, style: str, value: object, *, explode: bool, name: str = "color"
) -> str | None:
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
        (PATH, "label", False, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
        (PATH, "label", True, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
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
                "color%5B%5D=blue&color%5B%5D=black&color%5B%5D=brown",
                "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            ],
        ),
        (
            QUERY,
            "tabDelimited",
            False,
            [
                "color=",
                "color=blue",
                "color=blue%09black%09brown",
                "color=R%09100%09G%09200%09B%09150",
            ],
        ),
        (
            PATH,
            "spaceDelimited",
            False,
            ["", "blue", "blue%20black%20brown", "R%20100%20G%20200%20B%20150"],
        ),
        (HEADER, "pipeDelimited", False, ["", "blue", "blue|black|brown", "R|100|G|200|B|150"]),
        (
            COOKIE,
            "cookie",
            False,
            ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
        ),
        (
            COOKIE,
            "cookie",
            True,
            ["color=", "color=blue", "color=blue; color=black; color=brown", "R=100; G=200; B=150"],
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
    assert write(QUERY, style, value, explode=explode) is None


@pytest.mark.parametrize("value", [[], {}, [None]])
def test_an_empty_value_is_a_name_without_one_where_that_is_allowed(value: object) -> None:
    parameter = RestParameter("x", "x", QUERY, "form", explode=True, allow_empty=True)

    assert writer_for(parameter)(value) == "x="
    assert writer_for(replace(parameter, style="deepObject"))(value) is None


@pytest.mark.parametrize("location", [PATH, HEADER])
@pytest.mark.parametrize("value", [[], {}])
def test_nothing_is_nothing_elsewhere_too(location: ParameterLocation, value: object) -> None:
    assert write(location, "simple", value, explode=False) is None
    assert write(COOKIE, "form", value, explode=False) is None
    assert not write(PATH, "matrix", value, explode=True)
    assert write(PATH, "label", value, explode=True) is None


def test_delimiters_within_values_are_encoded() -> None:
    assert write(QUERY, "form", ["a,b", "c&d=e"], explode=False) == "color=a%2Cb,c%26d%3De"
    assert write(PATH, "simple", ["a,b", "c/d"], explode=False) == "a%2Cb,c%2Fd"
    assert write(HEADER, "simple", {"a": "b"}, explode=True) == "a=b"
    assert write(PATH, "matrix", "a;b=c", explode=False) == ";color=a%3Bb%3Dc"


@pytest.mark.parametrize(
    ("style", "delimiter"),
    [("simple", ","), ("spaceDelimited", " "), ("pipeDelimited", "|"), ("tabDelimited", "\t")],
)
@pytest.mark.parametrize("explode", [True, False])
def test_what_separates_items_of_a_header_is_refused_within_them(
    style: str, delimiter: str, explode: bool
) -> None:
    within = f"b{delimiter}c"
    for value in (["a", within], {"k": within}, {within: "v"}):
        with pytest.raises(Unwritable, match="separates"):
            write(HEADER, style, value, explode=explode)
    assert write(HEADER, style, "a,b|c", explode=explode) == "a,b|c"  # alone, it ends nothing


@pytest.mark.parametrize("value", [{"k": "1,evil=2"}, {"k": "1=2"}, {"k=1": "2"}])
def test_no_member_is_slipped_into_an_exploded_header(value: object) -> None:
    with pytest.raises(Unwritable, match="separates"):
        write(HEADER, "simple", value, explode=True)


def test_an_equals_sign_is_but_a_sign_where_it_separates_nothing() -> None:
    assert write(HEADER, "simple", {"k": "a=b"}, explode=False) == "k,a=b"
    assert write(HEADER, "simple", ["a=b", "c"], explode=True) == "a=b,c"


@pytest.mark.parametrize("value", [" pad", "pad ", "\tpad", ["a", " b"], {"k ": "v"}])
def test_blanks_that_a_header_would_lose_are_refused(value: object) -> None:
    with pytest.raises(Unwritable, match="blank"):
        write(HEADER, "simple", value, explode=False)
    if isinstance(value, str):
        with pytest.raises(Unwritable, match="blank"):
            write(HEADER, "text", value, explode=False)


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=6), min_size=1, max_size=4))
def test_an_array_in_a_header_parses_back(items: list[str]) -> None:
    try:
        written = write(HEADER, "simple", items, explode=False)
    except Unwritable:
        return
    assert written is not None
    assert written.split(",") == items


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
        (WHOLE, "%7B%22k%22%3A%22%5Cu00fc%22%7D"),
    ],
)  # fmt: skip
def test_a_json_parameter_is_one_text_in_ascii(location: ParameterLocation, text: str) -> None:
    assert write(location, "json", {"k": "ü"}, explode=False) == text


@pytest.mark.parametrize(
    ("location", "text"),
    [(PATH, "a%2Cb%2Fc"), (QUERY, "color=a%2Cb%2Fc"), (HEADER, "a,b/c"), (WHOLE, "a%2Cb%2Fc")],
)
def test_a_text_parameter_is_text_as_it_is(location: ParameterLocation, text: str) -> None:
    assert write(location, "text", "a,b/c", explode=False) == text
    assert write(COOKIE, "text", "a=b/c", explode=False) == "color=a=b/c"


def test_a_whole_query_string_is_a_form() -> None:
    parameter = RestParameter(
        "q", "q", WHOLE, "form", explode=True,
        parts={"tags": RestPart(style="form"), "j": RestPart(("application/json",))},
    )  # fmt: skip
    write_form = writer_for(parameter)

    assert write_form({"a": "b +c", "tags": ["1 2", "3"], "j": "x"}) == (
        "a=b+%2Bc&tags=1%202,3&j=%22x%22"
    )
    assert write_form({}) is None


@pytest.mark.parametrize(
    ("location", "style", "value", "text"),
    [
        (QUERY, "form", "a/b?c&d", "color=a/b?c%26d"), (QUERY, "form", ["a/b,c"], "color=a/b%2Cc"),
        (PATH, "simple", "a:b/c", "a:b%2Fc"), (PATH, "matrix", ["a@b"], ";color=a@b"),
        (PATH, "label", "a@b", ".a@b"), (COOKIE, "form", "a=b;c", "color=a=b%3Bc"),
    ],
)  # fmt: skip
def test_reserved_characters_stay_where_that_is_allowed(
    location: ParameterLocation, style: str, value: object, text: str
) -> None:
    parameter = RestParameter("color", "color", location, style, False, allow_reserved=True)

    assert writer_for(parameter)(value) == text


def test_a_cookie_needs_a_name() -> None:
    with pytest.raises(Unwritable, match="without a name"):
        write(COOKIE, "form", {"": "x"}, explode=True)


def test_a_style_of_another_location_has_no_writer() -> None:
    with pytest.raises(LookupError):
        writer_for(RestParameter("x", "x", QUERY, "matrix", explode=False))
