"""Whether a model could be asked is found out without asking it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bascule.app.model_standing import model_standing
from bascule.app.models import ModelUnusable
from bascule.settings.assistant import Llm
from bascule.settings.secret import Password


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def listener(host: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that answers nothing, and what was sent to it."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(hear, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def llm(url: str = "", provider: str = "compatible") -> Llm:
    return Llm.model_validate(
        {"provider": provider, "model": "m", "base_url": url, "api_key": Password("sk-12345678")}
    )


async def test_the_planner_is_in_this_process() -> None:
    assert "no language model" in (await model_standing(Llm())).detail


async def test_what_listens_is_sent_nothing() -> None:
    async with listener() as (port, heard):
        standing = await model_standing(llm(f"http://127.0.0.1:{port}/v1"))
    assert standing.fix == ""
    assert f"127.0.0.1:{port} can be reached" in standing.detail
    assert b"".join(heard) == b""


async def test_nobody_there_is_said_with_the_setting_to_correct() -> None:
    async with listener() as (port, _):
        pass
    standing = await model_standing(llm(f"http://127.0.0.1:{port}"))
    assert "cannot be reached" in standing.detail
    assert "llm.base_url" in standing.fix


async def test_a_key_in_the_clear_is_warned_of() -> None:
    host = socket.gethostname()
    async with listener(host) as (port, _):
        standing = await model_standing(llm(f"http://{host}:{port}"))
    assert "unencrypted" in standing.detail
    assert "https://" in standing.fix


async def test_where_a_proxy_stands_between_no_connection_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    standing = await model_standing(llm(provider="openai"))
    assert "api.openai.com:443 is asked by way of a proxy" in standing.detail


async def test_a_model_that_cannot_be_made_says_what_to_do() -> None:
    odd = llm().model_copy(update={"base_url": "http://\x00"})
    with pytest.raises(ModelUnusable, match=r"llm\.base_url"):
        await model_standing(odd)
