import json

import pytest

from bascule.protocol.versions import Era
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.handshake import Handshake
from bascule.upstreams.mcp.messages import INITIALIZED, Incoming, decode


def answer(message_id: str, body: str) -> Incoming:
    message = decode(f'{{"jsonrpc":"2.0","id":"{message_id}",{body}}}'.encode())
    assert message is not None
    return message


DISCOVERED = answer("probe", '"result":{"supportedVersions":["2026-07-28"]}')
UNKNOWN = answer("probe", '"error":{"code":-32601,"message":"unknown"}')
INITIALIZE_RESULT = answer("init", '"result":{"protocolVersion":"2025-06-18"}')
REFUSED = answer("init", '"error":{"code":-32601,"message":"unknown"}')


def method(message: bytes | None) -> str:
    assert message is not None
    return json.loads(message)["method"]


def begin(*, probe: bool = True) -> Handshake:
    handshake = Handshake("probe", "init")
    first = handshake.begin(probe=probe)
    assert method(first) == ("server/discover" if probe else "initialize")
    return handshake


def test_modern_server_is_recognised_at_once() -> None:
    handshake = begin()
    assert handshake.take(DISCOVERED) is None
    assert (handshake.era, handshake.failure) == (Era.MODERN, None)


def test_any_other_error_leads_to_initialize() -> None:
    handshake = begin()
    assert method(handshake.take(UNKNOWN)) == "initialize"
    assert handshake.take(INITIALIZE_RESULT) == INITIALIZED
    assert handshake.era is Era.LEGACY


def test_silence_leads_to_initialize() -> None:
    handshake = begin()
    assert method(handshake.stop_probing()) == "initialize"
    assert handshake.stop_probing() is None
    handshake.take(INITIALIZE_RESULT)
    assert handshake.era is Era.LEGACY


def test_slow_legacy_server_is_initialized_once() -> None:
    handshake = begin()
    handshake.stop_probing()
    assert handshake.take(UNKNOWN) is None
    assert handshake.take(INITIALIZE_RESULT) == INITIALIZED


def test_slow_modern_server_is_still_recognised() -> None:
    handshake = begin()
    handshake.stop_probing()
    handshake.take(DISCOVERED)
    assert handshake.take(REFUSED) is None
    assert (handshake.era, handshake.failure) == (Era.MODERN, None)


def test_handshake_without_a_probe_begins_with_initialize() -> None:
    handshake = begin(probe=False)
    assert handshake.stop_probing() is None
    assert handshake.take(INITIALIZE_RESULT) == INITIALIZED


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (REFUSED, "refused to initialize"),
        (answer("init", '"result":{"protocolVersion":"2099-01-01"}'), "2099-01-01"),
        (answer("init", '"result":{}'), "not one"),
    ],
)
def test_server_that_cannot_be_initialized_is_given_up(reply: Incoming, reason: str) -> None:
    handshake = begin(probe=False)
    assert handshake.take(reply) is None
    assert handshake.failure is not None
    assert reason in handshake.failure
    assert handshake.is_over


def test_modern_server_without_a_common_version_is_given_up() -> None:
    handshake = begin()
    handshake.take(answer("probe", '"result":{"supportedVersions":["2099-01-01"]}'))
    assert handshake.failure is not None


def test_answers_to_something_else_change_nothing() -> None:
    handshake = begin()
    assert handshake.take(answer("other", '"result":{}')) is None
    assert not handshake.is_over
    handshake.take(DISCOVERED)
    assert handshake.take(UNKNOWN) is None
    assert handshake.era is Era.MODERN


def test_server_describes_itself_while_shaking_hands() -> None:
    modern = begin()
    result = '"result":{"supportedVersions":["2026-07-28"],"capabilities":{"a":{}}}'
    modern.take(answer("probe", result))
    assert modern.described == Described(Era.MODERN, "2026-07-28", b'{"a":{}}')
    legacy = begin(probe=False)
    legacy.take(INITIALIZE_RESULT)
    assert legacy.described == Described(Era.LEGACY, "2025-06-18")


def test_legacy_server_is_told_what_its_caller_can_be_asked() -> None:
    handshake = Handshake("probe", "init", b'{"roots":{}}')
    assert json.loads(handshake.begin(probe=False))["params"]["capabilities"] == {"roots": {}}
