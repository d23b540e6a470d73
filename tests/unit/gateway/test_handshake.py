import pytest

from bascule.gateway.call import Call, Method
from bascule.gateway.handshake import Advertised, Handshake
from bascule.protocol.results import Identity
from bascule.protocol.versions import SUPPORTED_VERSIONS, Era

HANDSHAKE = Handshake(Identity("bascule", "1.0"), "Be kind.")


async def test_discover_names_every_version_that_is_spoken() -> None:
    body = (await HANDSHAKE.execute(Call(Method.DISCOVER, "c-1"))).body
    assert body["supportedVersions"] == SUPPORTED_VERSIONS
    assert body["instructions"] == "Be kind."


async def test_initialize_answers_with_the_version_that_was_agreed() -> None:
    call = Call(Method.INITIALIZE, "c-1", era=Era.LEGACY, version="2025-03-26")
    body = (await HANDSHAKE.execute(call)).body
    assert body["protocolVersion"] == "2025-03-26"
    assert body["serverInfo"] == Identity("bascule", "1.0")


@pytest.mark.parametrize("method", [Method.PING, Method.NOTIFICATION])
async def test_a_ping_and_a_notification_need_no_words(method: Method) -> None:
    result = await HANDSHAKE.execute(Call(method, "c-1"))
    assert (result.body, result.is_error) == ({}, False)


@pytest.mark.parametrize("method", [Method.DISCOVER, Method.INITIALIZE])
async def test_without_more_to_say_there_are_tools(method: Method) -> None:
    body = (await HANDSHAKE.execute(Call(method, "c-1"))).body
    assert body["capabilities"] == {"tools": {}}


@pytest.mark.parametrize("method", [Method.DISCOVER, Method.INITIALIZE])
async def test_each_endpoint_says_what_it_can_do(method: Method) -> None:
    asked: list[Call] = []

    def advertise(call: Call) -> Advertised:
        asked.append(call)
        return Advertised({"prompts": {}}, "Ask for prompts.")

    call = Call(method, "c-1")
    body = (await Handshake(Identity("b", "1"), "Be kind.", advertise).execute(call)).body
    assert (body["capabilities"], body["instructions"]) == ({"prompts": {}}, "Ask for prompts.")
    assert asked == [call]
