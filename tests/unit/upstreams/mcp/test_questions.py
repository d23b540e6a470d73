"""Questions of upstreams are read strictly, and put only to whom they may be put."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import binary

from bascule.gateway.backchannel import Question
from bascule.gateway.capabilities import Capabilities, read_capabilities
from bascule.upstreams.mcp.questions import (
    InputRequest,
    missing_capability,
    read_asked,
    read_request,
)
from fakes.asking import ALL, ELICIT, FORM, ROOTS, SAMPLE, encoded

URL = {"mode": "url", "message": "Sign in", "url": "https://example.com/in"}


def body(**members: object) -> dict[str, object]:
    return {name: msgspec.Raw(encoded(value)) for name, value in members.items()}


def elicitation(params: object) -> InputRequest:
    return read_request("elicitation/create", encoded(params))


def test_questions_and_state_are_read_by_their_keys() -> None:
    asked = read_asked(
        body(inputRequests={"a": ELICIT, "b": SAMPLE, "c": ROOTS}, requestState="x", content=[])
    )
    assert [one.method for one in asked.requests.values()] == [
        "elicitation/create", "sampling/createMessage", "roots/list",
    ]  # fmt: skip
    assert asked.state == "x"
    assert asked.requests["a"].mode == "form"
    assert asked.requests["c"].params is None


@pytest.mark.parametrize("state", ["", "null", '{"json": "text"}', "é\n"])
def test_any_text_is_a_state_and_none_stays_none(state: str) -> None:
    assert read_asked(body(requestState=state)).state == state
    assert read_asked(body(inputRequests={})).state is None


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"inputRequests": None},
        {"inputRequests": []},
        {"inputRequests": {"a": 1}},
        {"inputRequests": {"a": {}}},
        {"inputRequests": {"a": {"method": 1}}},
        {"inputRequests": {"a": {"method": "tools/call", "params": {}}}},
        {"inputRequests": {"a": {"method": "elicitation/create", "params": []}}},
        {"inputRequests": {"a": {"method": "elicitation/create", "params": {"mode": 1}}}},
        {"inputRequests": {"a": {"method": "elicitation/create", "params": {"mode": "song"}}}},
        {"inputRequests": {"a": {"method": "elicitation/create", "params": {"mode": "url"}}}},
        *(
            {
                "inputRequests": {
                    "a": {"method": "elicitation/create", "params": {**URL, "url": url}}
                }
            }
            for url in (
                "javascript:alert(1)",
                "file:///etc/passwd",
                "data:,x",
                " https://x",
                "https:",
            )
        ),
        {"inputRequests": {str(number): ROOTS for number in range(65)}},
        {"requestState": 5},
        {"requestState": {"a": "b"}},
    ],
)
def test_what_breaks_a_rule_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="it"):
        read_asked(body(**members))


@given(binary(max_size=60))
def test_parameters_are_an_object_or_refused(params: bytes) -> None:
    try:
        assert read_request("sampling/createMessage", params).params == params
    except ValueError:
        pass
    else:
        assert isinstance(json.loads(params), dict)


def test_form_and_url_are_separate_abilities() -> None:
    form_only = read_capabilities(b'{"elicitation":{}}')
    url_only = read_capabilities(b'{"elicitation":{"url":{}}}')
    assert elicitation(FORM).may_be_put(form_only)
    assert not elicitation(URL).may_be_put(form_only)
    assert elicitation(URL).may_be_put(url_only)
    assert not elicitation(FORM).may_be_put(url_only)


@pytest.mark.parametrize("member", ["tools", "toolChoice"])
def test_sampling_with_tools_needs_an_ability_of_its_own(member: str) -> None:
    request = read_request("sampling/createMessage", encoded({member: {}}))
    assert not request.may_be_put(read_capabilities(b'{"sampling":{}}'))
    assert not request.may_be_put(read_capabilities(b'{"sampling":{"tools":1}}'))
    assert request.may_be_put(read_capabilities(ALL))
    assert not request.may_be_put(Capabilities(raw=b'{"roots":{}}', sampling=True))


def test_a_question_is_shown_as_it_was_put() -> None:
    assert json.loads(msgspec.json.encode(elicitation(FORM).members())) == ELICIT
    assert json.loads(msgspec.json.encode(read_request("roots/list", None).members())) == ROOTS


def test_a_legacy_client_is_asked_in_terms_it_knows() -> None:
    form = elicitation(FORM)
    assert form.for_legacy("2025-11-25") == Question("elicitation/create", encoded(FORM))
    older = json.loads(form.for_legacy("2025-06-18").params)
    assert older == {name: value for name, value in FORM.items() if name != "mode"}
    roots = read_request("roots/list", encoded({"_meta": {}}))
    assert roots.for_legacy("2025-11-25") == Question("roots/list", b"{}")
    sampling = read_request("sampling/createMessage", b'{"maxTokens": 1}')
    assert sampling.for_legacy("2025-03-26").params == b'{"maxTokens": 1}'


def test_a_page_to_visit_gets_the_id_that_legacy_clients_require() -> None:
    asked = json.loads(elicitation(URL).for_legacy("2025-11-25").params)
    assert asked.pop("elicitationId")
    assert asked == URL
    given_one = {**URL, "elicitationId": "e-1"}
    assert json.loads(elicitation(given_one).for_legacy("2025-11-25").params) == given_one


@pytest.mark.parametrize(
    ("request_", "required"),
    [
        (InputRequest("elicitation/create"), {"elicitation": {}}),
        (InputRequest("elicitation/create", mode="url"), {"elicitation": {"url": {}}}),
        (InputRequest("sampling/createMessage"), {"sampling": {}}),
        (InputRequest("sampling/createMessage", with_tools=True), {"sampling": {"tools": {}}}),
        (InputRequest("roots/list"), {"roots": {}}),
    ],
)
def test_a_missing_ability_is_named(request_: InputRequest, required: object) -> None:
    assert missing_capability(request_).details == {"requiredCapabilities": required}
