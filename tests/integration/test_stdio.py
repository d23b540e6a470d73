"""`bascule stdio` as a client starts it, and its way to an instance that runs elsewhere."""

import asyncio
import json
import os
import pty
import select
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from bascule.app.joint import NotConnected, join, socket_url
from bascule.app.pipes import Pipes
from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method, Result
from bascule.gateway.errors import AuthRequired, Forbidden, InvalidToken, NotFound
from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION
from bascule.transports.asgi import AsgiApp
from bascule.transports.websocket import WebSocketDoor
from fakes.catalogue import KEY
from fakes.channel import FakeGateway, initialize
from fakes.instances import BASCULE, bascule_here, environment, serving
from fakes.mcp import modern
from fakes.served import served

both_eras = pytest.mark.parametrize(
    ("mode", "version"), [("auto", MODERN_VERSION), ("legacy", LATEST_LEGACY_VERSION)]
)


def speaking(data: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*BASCULE, "stdio", "--data", str(data), *options],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@both_eras
async def test_the_official_client_starts_it_and_lists_the_tools(
    tmp_path: Path, mode: str, version: str
) -> None:
    command, *arguments = [*BASCULE, "stdio", "--data", str(tmp_path / "data")]
    parameters = StdioServerParameters(command=command, args=arguments, env=environment())
    async with asyncio.timeout(20), Client(stdio_client(parameters), mode=mode) as client:
        tools = (await client.list_tools()).tools

        assert client.protocol_version == version
    assert tools == []


def test_it_answers_what_it_was_sent_and_ends_with_its_input(tmp_path: Path) -> None:
    child = speaking(tmp_path / "data")
    out, err = child.communicate(json.dumps(modern("tools/list")).encode() + b"\n", timeout=20)

    assert child.returncode == 0, err
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1]


PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


def talk(data: Path, *options: str, given: bytes = PING) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of one whole conversation."""
    child = speaking(data, *options)
    out, err = child.communicate(given, timeout=20)
    return child.returncode, out, err


def talk_to_nobody(data: Path) -> list[int]:
    """The exit codes with nothing but /dev/null on one side and on the other."""
    command = [*BASCULE, "stdio", "--data", str(data)]
    with Path(os.devnull).open("r+b") as null:
        silent = subprocess.run(command, env=environment(), stdin=null, timeout=20, check=False)
        unheard = subprocess.run(
            command, env=environment(), input=PING, stdout=null, timeout=20, check=False
        )
    return [silent.returncode, unheard.returncode]


def test_it_ends_well_where_input_or_output_is_a_device(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert talk_to_nobody(data) == [0, 0]
    with serving(data):
        assert talk_to_nobody(data) == [0, 0]


def test_a_terminal_does_for_both_at_once(tmp_path: Path) -> None:
    person, terminal = pty.openpty()
    command = [*BASCULE, "stdio", "--data", str(tmp_path / "data")]
    child = subprocess.Popen(
        command, env=environment(), stdin=terminal, stdout=terminal, stderr=subprocess.PIPE
    )
    os.write(person, PING)
    with open(person, "rb", buffering=0) as screen:  # noqa: PTH123 - a descriptor, no path
        shown = b""
        while b'"result"' not in shown:
            assert select.select([screen], [], [], 20)[0], shown
            shown += screen.read(500)
        os.write(person, b"\x04")  # Ctrl-D
        child.communicate(timeout=20)
    os.close(terminal)

    assert child.returncode == 0


def test_files_do_for_input_and_output(tmp_path: Path) -> None:
    given, answer = tmp_path / "in", tmp_path / "out"
    given.write_bytes(PING)
    command = [*BASCULE, "stdio", "--data", str(tmp_path / "data")]
    with given.open("rb") as source, answer.open("wb") as sink:
        subprocess.run(
            command, env=environment(), stdin=source, stdout=sink, timeout=20, check=True
        )

    assert json.loads(answer.read_bytes())["id"] == 1


@pytest.mark.parametrize("is_running", [True, False])
def test_a_slice_that_is_not_there_is_an_error_that_names_those_that_are(
    tmp_path: Path, *, is_running: bool
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    add = ("servers", "add", "notes", "http://127.0.0.1:9/mcp", "--data", data)
    assert bascule_here(*add).code == 0
    with serving(data) if is_running else nullcontext():
        for kind in ("server", "bundle"):
            code, out, err = talk(data, f"--{kind}", "nosuch")
            error = json.loads(err.splitlines()[-1])["error"]
            assert (code, out, error["code"]) == (2, b"", "E2011")
            assert error["message"] == f"There is no {kind} named nosuch. There are: notes."
            code, out, _ = talk(data, f"--{kind}", "notes")
            assert (code, json.loads(out)["id"]) == (0, 1)


def test_where_there_is_no_server_at_all_it_says_how_to_add_one(tmp_path: Path) -> None:
    code, _, err = talk(tmp_path / "data", "--server", "nosuch")
    assert code == 2
    assert b"`bascule servers add` adds one" in err


def test_a_second_one_on_the_directory_says_how_both_can_use_it(tmp_path: Path) -> None:
    first = speaking(tmp_path / "data")
    assert first.stdin is not None
    assert first.stdout is not None
    first.stdin.write(PING)
    first.stdin.flush()
    first.stdout.readline()
    code, _, err = talk(tmp_path / "data")
    first.communicate(timeout=20)

    assert code == 4
    assert "start `bascule up` on it first; both then use it" in err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    child = speaking(tmp_path / "data")
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(modern("tools/list")).encode() + b"\n")
    child.stdin.flush()
    child.stdout.readline()
    child.send_signal(number)

    assert child.wait(5) == 0
    for pipe in (child.stdin, child.stdout, child.stderr):
        assert pipe is not None
        pipe.close()


def test_a_wrong_key_is_refused_and_ends_it(tmp_path: Path) -> None:
    child = speaking(tmp_path / "data", "--key", "bsc_wrong")
    out, _ = child.communicate(json.dumps(modern("tools/list")).encode() + b"\n", timeout=20)

    assert json.loads(out)["error"]["data"]["code"] == "E1002"


class FakeSink:
    """What a client would read from the other end of the pipe."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, data: bytes) -> None:
        """Keep the line."""
        self.lines.put_nowait(data)

    async def drain(self) -> None:
        """Nothing to wait for."""


class FakeEnd:
    """The client's end of both pipes."""

    def __init__(self) -> None:
        self._sink = FakeSink()
        self._source = asyncio.StreamReader()
        self.pipes = Pipes(self._source, self._sink)

    def send(self, message: dict[str, Any] | bytes) -> None:
        """Write a line."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._source.feed_data(raw + b"\n")

    def end(self) -> None:
        """Close the input."""
        self._source.feed_eof()

    async def receive(self) -> dict[str, Any]:
        """Read a line."""
        async with asyncio.timeout(5):
            return json.loads(await self._sink.lines.get())


@asynccontextmanager
async def joined(gateway: FakeGateway, key: str | None = KEY) -> AsyncIterator[FakeEnd]:
    end = FakeEnd()
    async with served(WebSocketDoor(gateway.entrance())) as where:
        joint = asyncio.ensure_future(
            join(socket_url(f"http://{where}", EVERYTHING), key, end.pipes)
        )
        try:
            yield end
        finally:
            end.end()
            async with asyncio.timeout(5):
                await joint


async def test_lines_go_to_the_running_instance_and_its_messages_come_back() -> None:
    async with joined(FakeGateway()) as end:
        end.send(initialize())
        end.send(modern("tools/list", id=2))
        end.send(b"{")
        end.send(b"\xff")
        answers = [await end.receive() for _ in range(4)]

    ids = {answer.get("id") for answer in answers}
    assert ids == {"init", 2, None}
    assert [one["error"]["code"] for one in answers if "error" in one] == [-32700, -32700]


async def test_answers_under_way_are_waited_for_when_the_input_ends() -> None:
    release = asyncio.Event()
    started = asyncio.Event()

    async def slow(_: Call) -> Result:
        started.set()
        await release.wait()
        return Result({"content": []})

    async with joined(FakeGateway({Method.TOOLS_CALL: slow})) as end:
        end.send(modern())
        async with asyncio.timeout(5):
            await started.wait()
        end.end()
        release.set()
        answer = await end.receive()

    assert answer["id"] == 1


async def test_it_ends_with_the_input_once_all_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bascule.app.joint._GRACE_SECONDS", 60.0)

    async with joined(FakeGateway()) as end:
        end.send(initialize())
        end.send(b"{")
        end.end()
        answers = [await end.receive() for _ in range(2)]

    assert {answer.get("id") for answer in answers} == {"init", None}


async def test_a_gateway_that_ends_the_conversation_is_a_failure() -> None:
    gateway, end = FakeGateway(), FakeEnd()
    async with served(WebSocketDoor(gateway.entrance())) as where:
        url = socket_url(f"http://{where}", EVERYTHING)
        joint = asyncio.ensure_future(join(url, KEY, end.pipes))
        end.send(modern("tools/list"))
        await end.receive()
        gateway.revoked.revoke("key-1")
        end.send(modern("tools/list", id=2))
        refused = await end.receive()
        with pytest.raises(NotConnected, match="this key is not accepted any longer"):
            await asyncio.wait_for(joint, 5)

    assert refused["error"]["data"]["code"] == "E1002"


@pytest.mark.parametrize(("key", "failure"), [(None, AuthRequired), ("bsc_wrong", InvalidToken)])
async def test_who_is_not_let_in_learns_why(key: str | None, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        async with joined(FakeGateway(), key):
            pass


@pytest.mark.parametrize(
    ("status", "failure"), [(403, Forbidden), (404, NotFound), (503, NotConnected)]
)
async def test_a_gateway_without_this_door_is_named_as_the_reason(
    status: int, failure: type[Exception]
) -> None:
    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        start = {"type": "websocket.http.response.start", "status": status, "headers": []}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": b""})

    app: AsgiApp = refusing
    async with served(app) as where:
        with pytest.raises(failure):
            await join(socket_url(f"http://{where}", EVERYTHING), KEY, FakeEnd().pipes)


async def test_where_nothing_listens_it_says_so() -> None:
    with pytest.raises(NotConnected, match="cannot be reached"):
        await join("ws://127.0.0.1:9/mcp/ws", KEY, FakeEnd().pipes)


def test_the_address_follows_the_scheme_and_the_slice() -> None:
    bundle = Endpoint(EndpointKind.BUNDLE, "a b")

    assert socket_url("https://gw.example", bundle) == "wss://gw.example/mcp/bundles/a%20b/ws"
    assert socket_url("http://127.0.0.1:8000", EVERYTHING) == "ws://127.0.0.1:8000/mcp/ws"


def test_who_only_passes_messages_on_starts_without_database_and_rest_api() -> None:
    loaded = "import bascule.app.joint, sys; print({'sqlalchemy', 'fastapi'} & set(sys.modules))"
    done = subprocess.run(
        [BASCULE[0], "-c", loaded], capture_output=True, text=True, timeout=20, check=True
    )

    assert done.stdout == "set()\n"
