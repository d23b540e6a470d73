import asyncio
import json
from typing import Any

import msgspec
import pytest

from bascule.gateway.call import Call, Method, Result
from bascule.transports import stdio
from fakes.channel import FakeGateway, initialize
from fakes.mcp import legacy, modern


class FakePipe:
    """Keeps what is written; `broken` fails like a pipe nobody reads."""

    def __init__(self, *, broken: bool = False) -> None:
        self.written = b""
        self._broken = broken

    def write(self, data: bytes) -> None:
        """Keep `data`."""
        self.written += data

    async def drain(self) -> None:
        """Nothing to wait for."""
        if self._broken:
            raise BrokenPipeError

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The lines written, decoded."""
        return [json.loads(line) for line in self.written.splitlines()]


def source_of(*messages: dict[str, Any] | bytes, ended: bool = True) -> asyncio.StreamReader:
    source = asyncio.StreamReader()
    for message in messages:
        source.feed_data(message if isinstance(message, bytes) else json.dumps(message).encode())
        source.feed_data(b"\n")
    if ended:
        source.feed_eof()
    return source


async def play(
    gateway: FakeGateway, *messages: dict[str, Any] | bytes, limit: int = 10_000
) -> list[dict[str, Any]]:
    """What is written in answer to these lines, then to the end of the input."""
    pipe = FakePipe()
    async with asyncio.timeout(5), gateway.converse() as channel:
        await stdio.serve(channel.duplex, source_of(*messages), pipe, limit)
    return pipe.messages


async def test_lines_are_answered_by_lines_even_if_the_input_ends_at_once() -> None:
    answers = await play(FakeGateway(), initialize(), legacy("ping", id=2), modern("tools/list"))

    assert [answer["id"] for answer in answers] == ["init", 2, 1]


async def test_empty_lines_are_nothing_and_odd_ones_are_answered() -> None:
    answers = await play(FakeGateway(), b"", b"  \r", b"{", modern("tools/list"))

    assert [answer.get("id") for answer in answers] == [None, 1]
    assert answers[0]["error"]["code"] == -32700
    assert "id" not in answers[0]


async def test_a_line_too_long_is_refused_and_the_next_one_read() -> None:
    answers = await play(FakeGateway(), b"x" * 2000, modern("tools/list"), limit=1000)

    assert "up to 1000 bytes" in answers[0]["error"]["message"]
    assert answers[1]["id"] == 1


async def test_line_ends_within_relayed_json_do_not_end_the_message() -> None:
    async def pretty(_: Call) -> Result:
        return Result({"content": msgspec.Raw(b"[\r\n1,\n2]")})

    answers = await play(FakeGateway({Method.TOOLS_CALL: pretty}), modern())

    assert answers[0]["result"]["content"] == [1, 2]


async def test_a_call_that_outlasts_the_input_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stdio, "_GRACE_SECONDS", 0.01)

    async def endless(_: Call) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    gateway = FakeGateway({Method.TOOLS_CALL: endless})
    assert await play(gateway, modern()) == []
    assert [record.status for record in gateway.recorder.records] == ["cancelled"]


async def test_it_ends_when_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, source = FakeGateway(), source_of(modern("tools/list"), ended=False)
    async with asyncio.timeout(5), gateway.converse() as channel:
        await stdio.serve(channel.duplex, source, FakePipe(broken=True), 1000)
