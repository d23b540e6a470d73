"""Sources: 2026-07-28 basic/patterns/mrtr and client/elicitation; 2025-11-25 client/elicitation."""

import json
from typing import Any

import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.capabilities import Capabilities
from bascule.gateway.verdict import Challenge, Need
from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION, Era
from bascule.transports.challenges import ask_to_visit
from bascule.transports.rendering import http_status, renderer
from fakes.mcp import IDENTITY

URL = "https://gateway.example/oauth/consent/abc"
CONSENT = Challenge("The service wants your consent.", "private words", URL, Need.CONSENT)
ELEVATION = Challenge("Ask first.", "private words", "https://gateway.example/e")
CAN = Capabilities(elicitation_url=True)
ASKING = (Method.TOOLS_CALL, Method.RESOURCES_READ, Method.PROMPTS_GET)


def call_of(
    method: Method = Method.TOOLS_CALL,
    era: Era = Era.MODERN,
    capabilities: Capabilities = CAN,
    version: str = "",
) -> Call:
    usual = MODERN_VERSION if era is Era.MODERN else LATEST_LEGACY_VERSION
    return Call(
        method, "c-1", message_id=1, era=era, version=version or usual, capabilities=capabilities
    )


def asked(call: Call, challenge: Challenge = CONSENT) -> dict[str, Any]:
    answer = ask_to_visit(call, challenge, IDENTITY)
    assert answer is not None
    return json.loads(answer)


@pytest.mark.parametrize("method", ASKING)
def test_a_modern_client_that_declared_it_is_asked_to_open_the_address(method: Method) -> None:
    result = asked(call_of(method))["result"]
    assert result["resultType"] == "input_required"
    assert result["inputRequests"] == {
        "io.bascule/consent": {
            "method": "elicitation/create",
            "params": {"mode": "url", "url": URL, "message": CONSENT.public},
        }
    }
    assert "requestState" not in result, "the same call, made again, finds out by itself"


def test_each_kind_of_challenge_has_a_key_of_its_own() -> None:
    result = asked(call_of(), ELEVATION)["result"]
    assert list(result["inputRequests"]) == ["io.bascule/elevation"]


@pytest.mark.parametrize("method", [one for one in Method if one not in ASKING])
def test_results_of_other_requests_ask_for_nothing(method: Method) -> None:
    assert ask_to_visit(call_of(method), CONSENT, IDENTITY) is None


def test_a_client_of_the_last_handshake_revision_gets_the_error_made_for_it() -> None:
    error = asked(call_of(era=Era.LEGACY))["error"]
    assert (error["code"], error["message"]) == (-32042, CONSENT.public)
    (one,) = error["data"]["elicitations"]
    assert {**one, "elicitationId": ""} == {
        "mode": "url",
        "url": URL,
        "message": CONSENT.public,
        "elicitationId": "",
    }
    assert error["data"]["code"] == "E1007"


def test_every_shape_says_to_programs_that_elevation_is_required_and_where() -> None:
    expected = {"requires_elevation": True, "elevation_url": ELEVATION.url}
    asked_for = asked(call_of(era=Era.LEGACY), ELEVATION)["error"]["data"]
    assert asked_for["details"] == expected
    for era in Era:
        call = call_of(era=era, capabilities=Capabilities())
        told = json.loads(renderer(IDENTITY)(call, ELEVATION))["result"]
        assert told["_meta"]["io.bascule/error"]["details"] == expected
        other = call_of(Method.PROMPTS_GET, era, Capabilities())
        error = json.loads(renderer(IDENTITY)(other, ELEVATION))["error"]
        assert error["data"]["details"] == expected


def test_the_same_address_has_the_same_id_so_that_it_is_shown_once() -> None:
    def id_of(challenge: Challenge) -> str:
        data = asked(call_of(era=Era.LEGACY), challenge)["error"]["data"]
        return data["elicitations"][0]["elicitationId"]

    assert id_of(CONSENT) == id_of(CONSENT) != id_of(ELEVATION)


@pytest.mark.parametrize("version", ["2025-06-18", "2025-03-26", "2024-11-05"])
def test_revisions_before_know_no_such_error(version: str) -> None:
    call = call_of(era=Era.LEGACY, version=version)
    assert ask_to_visit(call, CONSENT, IDENTITY) is None


@pytest.mark.parametrize("era", Era)
def test_who_cannot_open_addresses_is_told_in_a_result_that_a_model_can_read(era: Era) -> None:
    call = call_of(era=era, capabilities=Capabilities(elicitation=True))
    answer = json.loads(renderer(IDENTITY)(call, CONSENT))
    result = answer["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("E1007: The service wants your consent.")
    assert URL in result["content"][0]["text"]
    assert result["_meta"]["io.bascule/error"]["details"] == {"consent_url": URL}
    assert http_status(call, CONSENT) == 200


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("method", [Method.PROMPTS_GET, Method.RESOURCES_READ])
def test_other_requests_are_told_in_an_error(method: Method, era: Era) -> None:
    call = call_of(method, era, Capabilities())
    error = json.loads(renderer(IDENTITY)(call, CONSENT))["error"]
    assert error["data"]["details"] == {"consent_url": URL}
    assert URL in error["message"]
    assert error["code"] != -32042
    assert http_status(call, CONSENT) == 200


def test_a_modern_client_never_sees_the_error_of_the_era_before() -> None:
    for method in Method:
        for capabilities in (CAN, Capabilities()):
            answer = renderer(IDENTITY)(call_of(method, capabilities=capabilities), CONSENT)
            assert b"-32042" not in answer


@pytest.mark.parametrize("challenge", [CONSENT, ELEVATION])
@pytest.mark.parametrize("era", Era)
def test_private_words_are_never_rendered(era: Era, challenge: Challenge) -> None:
    for method in Method:
        for capabilities in (CAN, Capabilities()):
            answer = renderer(IDENTITY)(call_of(method, era, capabilities), challenge)
            assert b"private" not in answer


def test_where_no_request_can_be_answered_the_status_says_it() -> None:
    assert http_status(Call(Method.NOTIFICATION, "c-1"), CONSENT) == 403
