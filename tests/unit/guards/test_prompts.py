import pytest

from bascule.gateway.call import Call, JsonObject, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import Listed
from bascule.gateway.verdict import Refuse
from bascule.guards.prompts import judge_prompt_arguments
from fakes.relayed import make_prompt

GREET = make_prompt(
    definition=b'{"name":"greet","arguments":[{"name":"who","required":true},{"name":"how"}]}'
)


def judge(arguments: JsonObject, prompt: Listed | None = GREET) -> Refuse | None:
    return judge_prompt_arguments(Call(Method.PROMPTS_GET, "c-1", arguments=arguments), prompt)


def test_texts_by_name_pass_also_those_the_prompt_does_not_list() -> None:
    assert judge({"who": "ann"}) is None
    assert judge({"who": "ann", "how": "loud", "more": ""}) is None


@pytest.mark.parametrize("value", [1, None, True, ["a"], {"a": "b"}])
def test_what_is_no_text_is_refused(value: object) -> None:
    """Source: schema.ts GetPromptRequest, `arguments?: { [key: string]: string }`."""
    refusal = judge({"who": value})
    assert refusal is not None
    assert refusal.error is ErrorCode.INVALID_VALUE
    assert refusal.public == "params.arguments: 'who' must be a string"


def test_what_is_required_must_be_there() -> None:
    refusal = judge({"how": "loud"})
    assert refusal is not None
    assert refusal.details == {"field": "who"}


def test_too_many_arguments_are_refused() -> None:
    assert judge({str(number): "" for number in range(101)}, None) is not None
    assert judge({str(number): "" for number in range(100)}, None) is None


@pytest.mark.parametrize(
    "definition", [b'{"name":"x"}', b'{"name":"x","arguments":null}', b'{"arguments":"odd"}', b"?"]
)
def test_a_prompt_that_asks_for_nothing_readable_is_left_to_its_server(definition: bytes) -> None:
    assert judge({}, make_prompt(definition=definition)) is None
