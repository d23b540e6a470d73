"""Operations are compiled once; arguments never leave their places."""

from contextlib import suppress
from email.parser import BytesParser
from email.policy import HTTP
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.errors import GatewayError, InvalidValue
from bascule.gateway.tool import (
    BodyKind,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestPart,
    RestSource,
)
from bascule.upstreams.http1 import HttpRequest
from bascule.upstreams.http1.messages import encode_request
from bascule.upstreams.rest.failures import UnsupportedMedia, UnusableOperation
from bascule.upstreams.rest.plans import OperationPlan, compile_operation

PATH, QUERY, HEADER, COOKIE, WHOLE = ParameterLocation
BASE = "http://127.0.0.1:8080/api/"
STYLES = {
    PATH: ("simple", "label", "matrix", "spaceDelimited", "json", "text"),
    QUERY: (
        "form",
        "spaceDelimited",
        "pipeDelimited",
        "tabDelimited",
        "deepObject",
        "json",
        "text",
    ),
    HEADER: ("simple", "pipeDelimited", "tabDelimited", "json", "text"),
    COOKIE: ("form", "cookie", "json", "text"),
    WHOLE: ("form", "json", "text"),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["", ".", "..", "../..", "a/b", "?", "#", "%2e%2e", "\r\nX: y", "\0", "é"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def parameter(
    name: str, location: ParameterLocation, style: str = "", *, explode: bool = False,
    required: bool = False,
) -> RestParameter:  # fmt: skip
    return RestParameter(name, name, location, style or STYLES[location][0], explode, required)


def plan_for(
    path: str, *parameters: RestParameter, method: str = "GET", body: RestBody | None = None
) -> OperationPlan:
    return compile_operation(RestSource("u", method, path, parameters, body), BASE)


def test_everything_is_put_in_its_place() -> None:
    plan = plan_for(
        "/v1/dealers/{id}/slots",
        parameter("id", PATH),
        parameter("date", QUERY),
        parameter("tags", QUERY, explode=True),
        parameter("X-Trace", HEADER),
        parameter("sid", COOKIE),
        parameter("lang", COOKIE),
        method="POST",
        body=RestBody("application/json", {"n": "n"}),
    )

    parts = plan.build(
        {"id": "P 1", "tags": ["a", "b"], "X-Trace": "t", "sid": "s 1", "lang": "en", "n": 5}
    )

    assert (plan.method, str(plan.origin)) == ("POST", "http://127.0.0.1:8080")
    assert parts.target == "/api/v1/dealers/P%201/slots?tags=a&tags=b"
    assert parts.headers == [
        ("X-Trace", "t"), ("cookie", "sid=s%201; lang=en"), ("content-type", "application/json"),
    ]  # fmt: skip
    assert parts.body == b'{"n":5}'


def test_nothing_given_is_nothing_sent() -> None:
    plan = plan_for(
        "/a", parameter("q", QUERY), parameter("h", HEADER), parameter("c", COOKIE),
        body=RestBody("application/json", {"n": "n"}),
    )  # fmt: skip

    assert plan.build({"q": None}) == ("/api/a", [], b"")


def test_a_segment_may_hold_several_variables_and_fixed_text() -> None:
    plan = plan_for("/{owner}/x/{a}...{b}.zip", *(parameter(n, PATH) for n in ("owner", "a", "b")))

    assert plan.build({"owner": "o", "a": "1/2", "b": "3"}).target == "/api/o/x/1%2F2...3.zip"


def test_fixed_text_is_encoded_but_not_twice() -> None:
    assert plan_for("/a b/%20/ü/?x y").build({}).target == "/api/a%20b/%20/%C3%BC/?x%20y"


def test_a_fixed_query_comes_before_that_of_the_arguments() -> None:
    plan = plan_for("/a/{id}?beta=true&x=%26", parameter("id", PATH), parameter("q", QUERY))

    assert plan.build({"id": "?", "q": 1}).target == "/api/a/%3F?beta=true&x=%26&q=1"
    assert plan.build({"id": 1}).target == "/api/a/1?beta=true&x=%26"


@pytest.mark.parametrize("value", ["", ".", "..", "../x", "a/../b", [], [""], {}, None, [None]])
def test_a_path_value_that_would_move_the_path_is_refused(value: object) -> None:
    plan = plan_for("/a/{id}/b", parameter("id", PATH))

    with pytest.raises(InvalidValue) as caught:
        plan.build({"id": value})

    assert caught.value.details == {"field": "id"}


def test_dots_put_together_from_pieces_are_refused() -> None:
    two = plan_for("/a/{x}{y}", parameter("x", PATH), parameter("y", PATH))
    half = plan_for("/a/%2e{x}", parameter("x", PATH))
    label = plan_for("/a/{x}", parameter("x", PATH, "label"))

    for plan, arguments in (
        (two, {"x": ".", "y": "."}), (half, {"x": "."}), (label, {"x": "."}), (label, {"x": ""}),
    ):  # fmt: skip
        with pytest.raises(InvalidValue):
            plan.build(arguments)


@pytest.mark.parametrize("location", [QUERY, HEADER, COOKIE])
def test_a_required_argument_must_be_given(location: ParameterLocation) -> None:
    plan = plan_for("/a", parameter("x", location, required=True))

    with pytest.raises(InvalidValue, match="`x` is required"):
        plan.build({})


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é", ["a", "b\r\n"], {"a\n": "b"}]
)
def test_a_header_never_carries_a_line_break(value: object) -> None:
    plan = plan_for("/a", parameter("x", HEADER))

    with pytest.raises(InvalidValue, match="printable ASCII"):
        plan.build({"x": value})


@pytest.mark.parametrize(
    "body",
    [
        {"n": "\ud800"},
        {"n": 10**5000},
        {"body": 1},
    ],
)
def test_a_body_that_cannot_be_encoded_is_refused(body: dict[str, object]) -> None:
    kind = RestBody("application/x-www-form-urlencoded", {"n": "n"})
    if "body" in body:
        kind, body = RestBody("application/json", argument="whole", required=True), {}
    plan = plan_for("/a", method="POST", body=kind)

    with pytest.raises(InvalidValue):
        plan.build(body)


def test_nesting_without_end_is_refused() -> None:
    value: list[object] = []
    for _ in range(50_000):
        value = [value]
    plan = plan_for("/a", parameter("x", QUERY))

    with pytest.raises(InvalidValue, match="nested too deeply"):
        plan.build({"x": value})


@given(st.text())
def test_a_path_value_arrives_as_it_was_in_its_own_segment(value: str) -> None:
    plan = plan_for("/a/{x}/b", parameter("x", PATH))
    try:
        target = plan.build({"x": value}).target
    except InvalidValue:
        return
    assert target.isascii()
    path = urlsplit(target).path
    assert path == target
    segments = path.split("/")
    assert len(segments) == 5
    assert unquote(segments[3], errors="strict") == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_values_that_move_the_path_are_refused(value: str) -> None:
    moves = any(
        part.partition(";")[0] in (".", "..") for part in value.replace("\\", "/").split("/")
    )
    plan = plan_for("/a/{x}", parameter("x", PATH))
    try:
        plan.build({"x": value})
    except InvalidValue:
        assert moves or not value
    else:
        assert value
        assert not moves


@given(st.dictionaries(st.sampled_from("xyz"), st.text(st.characters(exclude_categories=["Cs"]))))
def test_query_values_arrive_as_they_were(arguments: dict[str, str]) -> None:
    plan = plan_for("/a", *(parameter(name, QUERY) for name in "xyz"))

    split = urlsplit(plan.build(dict(arguments)).target)

    assert split.path == "/api/a"
    assert dict(parse_qsl(split.query, keep_blank_values=True)) == arguments


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_query_items_arrive_as_they_were(items: list[str]) -> None:
    plan = plan_for("/a", parameter("x", QUERY, explode=True))

    query = urlsplit(plan.build({"x": items}).target).query

    assert parse_qsl(query, keep_blank_values=True) == [("x", one) for one in items]


@given(
    st.sampled_from([(place, style) for place, styles in STYLES.items() for style in styles]),
    st.booleans(),
    JSON,
)
def test_any_value_in_any_style_is_one_wellformed_request_or_refused(
    kind: tuple[ParameterLocation, str], explode: bool, value: object
) -> None:
    location, style = kind
    path = "/a/{x}/b" if location is PATH else "/a/b"
    plan = plan_for(path, parameter("x", location, style, explode=explode))
    try:
        target, headers, body = plan.build({"x": value})
    except InvalidValue:
        return
    wire = encode_request(HttpRequest(plan.origin, "GET", target, headers, body))
    assert wire.count(b"\r\n") == 3 + len(headers)
    assert target.partition("?")[0].count("/") == path.count("/") + 1
    assert not {".", ".."} & set(unquote(target.partition("?")[0]).split("/"))


PLACES = [
    (place, style, explode, reserved)
    for place, styles in STYLES.items()
    for style in styles
    for explode in (False, True)
    for reserved in (False, True)
]


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=4))
def test_whatever_is_given_stays_below_the_fixed_beginning_of_the_path(
    given: list[tuple[tuple[ParameterLocation, str, bool, bool], object]],
) -> None:
    parameters = tuple(
        RestParameter(f"x{index}", f"x{index}", place, style, explode, allow_reserved=reserved)
        for index, ((place, style, explode, reserved), _) in enumerate(given)
    )
    variables = [one.name for one in parameters if one.location is PATH]
    plan = plan_for("/v1/fixed" + "".join(f"/{{{name}}}" for name in variables), *parameters)
    try:
        target, headers, body = plan.build({f"x{n}": value for n, (_, value) in enumerate(given)})
    except InvalidValue:
        return
    encode_request(HttpRequest(plan.origin, "GET", target, headers, body))
    path = target.partition("?")[0]
    assert path.startswith("/api/v1/fixed")
    assert path.count("/") == 3 + len(variables)
    assert not set(path) & set('#\\ "<>')
    assert "#" not in target
    for segment in path.split("/"):
        decoded = unquote(segment).replace("\\", "/").split("/")
        assert not {".", ".."} & {one.partition(";")[0] for one in decoded}


COOKIE_VALUES = st.dictionaries(
    st.sampled_from("abc"), st.text(st.characters(exclude_categories=["Cs"])), min_size=1
)


@given(COOKIE_VALUES)
def test_cookies_arrive_as_they_were(arguments: dict[str, str]) -> None:
    plan = plan_for("/a", *(parameter(name, COOKIE) for name in "abc"))

    (header,) = plan.build(dict(arguments)).headers

    cookies = SimpleCookie(header[1])
    assert {name: unquote(one.value) for name, one in cookies.items()} == arguments


@given(st.dictionaries(st.sampled_from("abc"), st.text(), min_size=1))
def test_headers_arrive_as_they_were_less_blanks_around_them(arguments: dict[str, str]) -> None:
    plan = plan_for("/a", *(parameter(name, HEADER) for name in "abc"))
    try:
        parts = plan.build(dict(arguments))
    except InvalidValue:
        return
    wire = encode_request(HttpRequest(plan.origin, "GET", parts.target, parts.headers))
    message = BytesParser(policy=HTTP).parsebytes(wire.partition(b"\r\n")[2])
    expected = {name: value.strip(" \t") for name, value in arguments.items()}
    assert {name: (message[name] or "") for name in arguments} == expected


@pytest.mark.parametrize("value", ["/", "/a", "\\\\", "./x"])
def test_a_value_never_makes_a_dot_segment_for_who_decodes_before_splitting(value: str) -> None:
    plan = plan_for("/a/{x}/b", parameter("x", PATH, "label"))
    with pytest.raises(InvalidValue):
        plan.build({"x": value})


@given(JSON, JSON, st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_any_body_is_built_or_refused(a: object, b: object, media_type: str) -> None:
    plan = plan_for("/a", method="POST", body=RestBody(media_type, {"a": "a", "b": "b"}))
    with suppress(InvalidValue):
        assert plan.build({"a": a, "b": b}).target == "/api/a"


@pytest.mark.parametrize(
    "source",
    [
        RestSource("u", "GET", "/a/{x}"),
        RestSource("u", "GET", "a"),
        RestSource("u", "TRACE", "/a"),
        RestSource("u", "connect", "/a"),
        RestSource("u", "X" * 41, "/a"),
        RestSource("u", "GET /a HTTP/1.1\r\n", "/a"),
        RestSource("u", "GET", "/a/../b"),
        RestSource("u", "GET", "/a/%2E./b"),
        RestSource("u", "GET", "/a", (parameter("x", QUERY, "matrix"),)),
        RestSource("u", "GET", "/a", (parameter("Host", HEADER),)),
        RestSource("u", "GET", "/a", (parameter("Content-Length", HEADER),)),
        RestSource("u", "GET", "/a", (parameter("a\r\nb", HEADER),)),
        RestSource("u", "GET", "/a", (parameter("a;b", COOKIE),)),
    ],
)
def test_an_operation_that_breaks_a_rule_is_unusable(source: RestSource) -> None:
    with pytest.raises(UnusableOperation):
        compile_operation(source, BASE)


@pytest.mark.parametrize("base_url", ["", "ftp://a", "http://u:p@a", "http://a?x=1", "/v1"])
def test_a_base_url_that_is_none_is_unusable(base_url: str) -> None:
    with pytest.raises(UnusableOperation):
        compile_operation(RestSource("u", "GET", "/a"), base_url)


def test_an_unsupported_body_is_named_when_compiled() -> None:
    with pytest.raises(UnsupportedMedia):
        plan_for("/a", method="POST", body=RestBody("multipart/form-data", {"a": "a"}))


def test_failures_of_compiling_are_named_to_callers() -> None:
    assert issubclass(UnusableOperation, GatewayError)
    assert issubclass(UnsupportedMedia, GatewayError)


def test_methods_of_newer_documents_are_sent() -> None:
    assert plan_for("/a", method="QUERY").method == "QUERY"
    assert plan_for("/a", method="COPY").method == "COPY"


EVIL = {"tenant": "ours", "filter": {"colour": "red", "tenant": "evil"}}


def spread(style: str, location: ParameterLocation) -> OperationPlan:
    return plan_for(
        "/x", parameter("tenant", location), parameter("filter", location, style, explode=True)
    )


@pytest.mark.parametrize(
    ("style", "location"),
    [
        ("form", QUERY), ("spaceDelimited", QUERY), ("pipeDelimited", QUERY),
        ("tabDelimited", QUERY), ("form", COOKIE), ("cookie", COOKIE),
    ],
)  # fmt: skip
def test_no_member_of_an_object_is_sent_as_another_argument(
    style: str, location: ParameterLocation
) -> None:
    plan = spread(style, location)
    for arguments in (EVIL, {"filter": EVIL["filter"]}):
        with pytest.raises(
            InvalidValue, match=r"`filter`.*'tenant'.*an argument of its own"
        ) as one:
            plan.build(arguments)
        assert one.value.details == {"field": "filter"}
    passing = {**EVIL, "filter": {"colour": "red", "filter": "own", "tenant": None}}
    sent = str(plan.build(passing))
    assert sent.count("tenant") == 1
    assert "filter=own" in sent


def test_members_that_keep_the_name_of_their_argument_are_free() -> None:
    joined = plan_for("/x", parameter("tenant", QUERY), parameter("filter", QUERY, explode=False))
    assert joined.build(EVIL).target.endswith("?tenant=ours&filter=colour,red,tenant,evil")
    deep = spread("deepObject", QUERY)
    assert "filter%5Btenant%5D=evil" in deep.build(EVIL).target
    apart = plan_for("/x", parameter("tenant", HEADER), parameter("filter", QUERY, explode=True))
    assert apart.build(EVIL).target.endswith("?colour=red&tenant=evil")


def test_a_deep_member_is_not_sent_as_an_argument_with_brackets() -> None:
    fixed, deep = parameter("filter[tenant]", QUERY), parameter("filter", QUERY, "deepObject")
    plan = plan_for("/x", fixed, deep)
    for inner in ("evil", ["evil"], {"x": "evil"}):
        with pytest.raises(InvalidValue):
            plan.build({"filter": {"tenant": inner}})
    assert plan.build({"filter": {"x": "1"}}).target.endswith("?filter%5Bx%5D=1")


def test_what_the_path_fixes_is_not_sent_again() -> None:
    plan = plan_for("/x?action=list", parameter("filter", QUERY, explode=True))
    with pytest.raises(InvalidValue):
        plan.build({"filter": {"action": "drop"}})
    assert plan.build({"filter": {"a": "1"}}).target.endswith("/x?action=list&a=1")
    whole = plan_for("/x?action=list", parameter("action", WHOLE))
    with pytest.raises(InvalidValue):
        whole.build({"action": {"action": "drop"}})
    assert whole.build({"action": {"a": "1"}}).target.endswith("/x?action=list&a=1")


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_no_member_is_sent_as_another_field_of_a_form(media: str) -> None:
    kind = BodyKind.MULTIPART if media.startswith("multipart") else BodyKind.FORM
    parts = {"filter": RestPart(style="form", explode=True)}
    names = {"tenant": "tenant", "filter": "filter"}
    plan = plan_for("/x", method="POST", body=RestBody(media, names, kind=kind, parts=parts))
    with pytest.raises(InvalidValue) as one:
        plan.build(EVIL)
    assert one.value.details == {"field": "filter"}
    assert b"red" in plan.build({"tenant": "ours", "filter": {"colour": "red"}}).body
