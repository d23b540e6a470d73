from bascule.gateway.call import EVERYTHING
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import PASS, Refuse
from bascule.traffic.standby import RefuseDown, WithoutDown
from fakes.decisions import NOW
from fakes.traffic import SOMEBODY, call_of, make_rest

UP, DOWN = make_rest("a", upstream="up"), make_rest("b", upstream="down")


def is_down(tenant: str, name: str) -> bool:
    assert tenant == "default"
    return name == "down"


async def test_a_call_of_a_service_that_is_down_is_refused_at_once() -> None:
    refused = await RefuseDown(is_down).inbound(call_of(DOWN))
    assert isinstance(refused, Refuse)
    assert (refused.error, refused.details) == (
        ErrorCode.UPSTREAM_UNREACHABLE,
        {"health": "down"},
    )
    assert "down" in refused.private
    assert "Nothing was sent" in refused.public


async def test_all_others_pass() -> None:
    stage = RefuseDown(is_down)
    assert await stage.inbound(call_of(UP)) is PASS
    assert await stage.inbound(call_of(None)) is PASS


class All:
    def __init__(self, *tools) -> None:
        self._tools = tools

    async def visible(self, principal, endpoint, circumstances):
        return self._tools


async def test_the_tools_of_a_service_that_is_down_are_not_seen() -> None:
    both = WithoutDown(All(UP, DOWN, UP), is_down)
    assert await both.visible(SOMEBODY, EVERYTHING, NOW) == [UP, UP]
    well = All(UP)
    assert await WithoutDown(well, is_down).visible(SOMEBODY, EVERYTHING, NOW) is well._tools
