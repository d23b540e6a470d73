from bascule.gateway.call import Call, Method
from bascule.gateway.locating import Nowhere
from fakes.catalogue import make_principal


async def test_a_gateway_of_tools_alone_finds_nothing_else() -> None:
    assert await Nowhere().locate(Call(Method.PROMPTS_GET, "c-1"), make_principal()) == ()
