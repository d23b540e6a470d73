import asyncio
import json

import pytest

from bascule.transports.batches import MOST_MESSAGES, answer_all, join, looks_like_batch, split
from bascule.transports.reply import Reply


@pytest.mark.parametrize(
    ("body", "is_one"),
    [(b"[]", True), (b" \r\n\t[1", True), (b"{}", False), (b"", False), (b'"["', False)],
)
def test_a_batch_is_an_array(body: bytes, is_one: bool) -> None:
    assert looks_like_batch(body) is is_one


def test_a_batch_is_split_into_its_messages_as_they_came() -> None:
    assert split(b'[{"a": 1.0}, 5]') == [b'{"a": 1.0}', b"5"]
    assert split(b"[%b]" % b",".join([b"1"] * MOST_MESSAGES)) == [b"1"] * MOST_MESSAGES


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"[", b"[" * 100_000, b"[\xff]", b"[%b]" % b",".join([b"1"] * 51)]
)
def test_what_is_no_batch_is_not_split(body: bytes) -> None:
    assert split(body) is None


async def test_members_run_at_once_and_are_answered_in_order() -> None:
    started: list[bytes] = []
    both = asyncio.Event()

    async def answer(body: bytes) -> Reply | None:
        started.append(body)
        if len(started) == 2:
            both.set()
        await both.wait()
        return Reply(200, body, [])

    async with asyncio.timeout(5):
        reply = await answer_all([b"1", b"2"], answer)
    assert json.loads(reply.body) == [1, 2]


def test_the_status_is_the_one_all_share() -> None:
    refused, fine, silent = (
        Reply(401, b"1", [(b"a", b"b")]),
        Reply(200, b"2", []),
        Reply(202, b"", []),
    )
    assert join([refused, refused, silent]) == Reply(401, b"[1,1]", [(b"a", b"b")])
    assert join([refused, fine]).status == 200
    asked = Reply(403, b"3", [(b"www-authenticate", b"Bearer"), (b"a", b"b")])
    assert join([asked, asked]).headers == asked.headers
    assert join([asked, fine]) == Reply(200, b"[3,2]", [(b"a", b"b")])
    assert join([silent, silent]) == Reply(202, b"", [])
    assert join([]) == Reply(202, b"", [])
