"""Several messages in one body, as the revision 2025-03-26 has them and no other.

Source: specification 2025-03-26, basic "Batching".
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from bascule.transports.authentication import WWW_AUTHENTICATE
from bascule.transports.reply import Reply

MOST_MESSAGES: Final = 50

_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode


def looks_like_batch(body: bytes) -> bool:
    """Whether `body` is an array, if it is JSON at all."""
    return body.lstrip(b" \t\r\n")[:1] == b"["


def split(body: bytes) -> list[bytes] | None:
    """The messages of a batch; None where it is none, or has none, or too many."""
    try:
        members = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return [bytes(raw) for raw in members] if 0 < len(members) <= MOST_MESSAGES else None


async def answer_all(
    members: Sequence[bytes], answer: Callable[[bytes], Awaitable[Reply | None]]
) -> Reply:
    """Answer all members at once; a member with None, or without a body, has nothing to say."""

    async def one(body: bytes) -> Reply | None:
        return await answer(body)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(body)) for body in members]
    return join([reply for task in tasks if (reply := task.result()) is not None])


def join(replies: Sequence[Reply]) -> Reply:
    """One response for all: with the status they share, as where their sender is not known."""
    told = [reply for reply in replies if reply.body]
    if not told:
        return Reply(202, b"", [])
    statuses = {reply.status for reply in told}
    body = b"[%b]" % b",".join(reply.body for reply in told)
    if len(statuses) == 1:
        return Reply(told[0].status, body, told[0].headers)
    # What one of them is challenged for does not hold for all.
    headers = [one for one in told[0].headers if one[0] != WWW_AUTHENTICATE]
    return Reply(200, body, headers)
