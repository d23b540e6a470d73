import pytest

from bascule.gateway.call import NOTHING_MORE, Call, Method, More
from bascule.gateway.content import content_of
from bascule.gateway.feed import ListenFilter


def test_a_plain_call_is_its_arguments_as_they_came() -> None:
    call = Call(Method.TOOLS_CALL, "c", raw_arguments=b'{ "a":1}')
    assert content_of(call) is call.raw_arguments


@pytest.mark.parametrize(
    ("more", "content"),
    [
        (NOTHING_MORE, b"{}"),
        (More(log_level="info", progress_token=1, request_state="sealed"), b"{}"),
        (More(uri="a://b"), b'{"uri":"a://b"}'),
        (
            More(task_id="t", input_responses=b'{"q":1}'),
            b'{"taskId":"t","inputResponses":{"q":1}}',
        ),
        (
            More(ref=b'{"type":"ref/prompt"}', argument=b"{}", context=b"{}"),
            b'{"ref":{"type":"ref/prompt"},"argument":{},"context":{}}',
        ),
        (
            More(wanted=ListenFilter(resource_subscriptions=("a://b",))),
            b'{"notifications":{"resourceSubscriptions":["a://b"]}}',
        ),
    ],
)
def test_all_that_says_what_was_meant_counts(more: More, content: bytes) -> None:
    assert content_of(Call(Method.RESOURCES_READ, "c", more=more)) == content


def test_answers_count_beside_the_arguments() -> None:
    more = More(input_responses=b'{"q":1}')
    call = Call(Method.TOOLS_CALL, "c", raw_arguments=b'{"a":1}', more=more)
    assert content_of(call) == b'{"arguments":{"a":1},"inputResponses":{"q":1}}'
