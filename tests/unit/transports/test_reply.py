import json

import pytest

from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.kernel import Answer
from bascule.gateway.verdict import Refuse
from bascule.transports.reply import reply_to, turned_away


def refuse(error: ErrorCode) -> Refuse:
    return Refuse(error, "Public.", "private")


def reply(outcome: Outcome, method: Method = Method.PING) -> tuple[int, dict[bytes, bytes], bytes]:
    answer = reply_to(Call(method, "c-1", message_id=1), Answer(b"{}", outcome))
    return answer.status, dict(answer.headers), answer.body


def test_an_answer_is_json_with_the_id_to_quote() -> None:
    expected = {b"content-type": b"application/json", b"x-correlation-id": b"c-1"}
    assert reply(Result({})) == (200, expected, b"{}")


@pytest.mark.parametrize("method", [Method.NOTIFICATION, Method.RESPONSE])
def test_what_needs_no_answer_is_accepted_without_a_word(method: Method) -> None:
    assert reply(Result({}), method) == (202, {}, b"")
    assert reply(refuse(ErrorCode.INVALID_TOKEN), method)[0] == 401


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (ErrorCode.AUTH_REQUIRED, b"www-authenticate"),
        (ErrorCode.TOO_LARGE, b"connection"),
        (ErrorCode.UNAVAILABLE, b"retry-after"),
    ],
)
def test_a_status_brings_the_header_that_belongs_to_it(error: ErrorCode, header: bytes) -> None:
    for method in (Method.PING, Method.NOTIFICATION):
        status, headers, _ = reply(refuse(error), method)
        assert (status, header in headers) == (error.http_status, True)


def test_a_caller_who_is_too_fast_is_told_when_to_come_again() -> None:
    limited = Refuse(ErrorCode.RATE_LIMITED, "Wait.", "private", {"retry_after_seconds": 17})
    status, headers, _ = reply(limited, Method.TOOLS_CALL)
    assert (status, headers[b"retry-after"]) == (429, b"17")


@pytest.mark.parametrize("details", [None, {}, {"retry_after_seconds": "17\r\nX-Evil: 1"}])
def test_a_wait_that_is_not_known_is_not_told(details: dict[str, object] | None) -> None:
    limited = Refuse(ErrorCode.RATE_LIMITED, "Wait.", "private", details)
    status, headers, _ = reply(limited, Method.TOOLS_CALL)
    assert (status, b"retry-after" in headers) == (429, False)


def test_what_is_turned_away_is_told_why() -> None:
    answer = turned_away(405, ErrorCode.INVALID_REQUEST, "No.", (b"allow", b"POST"))
    assert (answer.status, dict(answer.headers)[b"allow"]) == (405, b"POST")
    assert json.loads(answer.body) == {
        "jsonrpc": "2.0",
        "error": {"code": -32600, "message": "No.", "data": {"code": "E2001"}},
    }
