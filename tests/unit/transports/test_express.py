"""The express lane between a transport that notes everything and a service that echoes."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast

import pytest

from bascule.gateway.call import EVERYTHING
from bascule.transports.disconnect import Watch
from bascule.transports.express import ExpressLane, LaneConfig
from bascule.transports.outlet import Outlet
from bascule.transports.peers import Peer
from bascule.transports.reply import Head, HeaderList, Reply

COUNT = ContextVar("COUNT", default=0)
REQUEST = b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


class FakeTransport:
    """Keeps what is written; `protocol` is who has the connection."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = self.aborted = False
        self.reading = True
        self.unsent = 0
        self.protocol: object = None

    def get_extra_info(self, name: str) -> object:
        return ("10.0.0.9", 4242) if name == "peername" else None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: object) -> None:
        self.protocol = protocol


class FakeListener:
    """A server that counts."""

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.default_headers: HeaderList = [(b"date", b"today")]


class FakeSuccessor(asyncio.Protocol):
    """The complete implementation; keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.transport: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data


class Echo:
    """Answers a body with itself once `open_gate` is set."""

    max_body_bytes = 1000

    def __init__(self) -> None:
        self.judged: list[tuple[str, HeaderList]] = []
        self.bodies: list[bytes] = []
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.watches = True

    def judge(self, path: str, headers: HeaderList, peer: Peer) -> Head | None:
        assert peer == Peer("10.0.0.9")
        self.judged.append((path, headers))
        if path == "/mcp/other":
            return None
        refusal = Reply(403, b"", []) if path == "/mcp/refused" else None
        return Head(EVERYTHING, {}, headers, "s3cret", None, refusal)

    async def answer(self, head: Head, body: bytes, watch: Watch, outlet: Outlet) -> Reply | None:
        self.bodies.append(body)
        if body == b"!!":
            raise RuntimeError("a bug")
        if not self.watches:
            await self.gate.wait()
            return Reply(200, body, [])
        with watch:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            return Reply(200, body, [(b"x-seen", head.all_headers[0][1])])
        return None


class Line:
    """A connection on the lane, and everything around it."""

    def __init__(self, config: LaneConfig | None = None, service: Echo | None = None) -> None:
        self.service = service or Echo()
        self.listener = FakeListener()
        self.transport = FakeTransport()
        self.lane = ExpressLane(self.service, self.listener, config or LaneConfig(), self._succeed)
        self.lane.connection_made(cast("asyncio.Transport", self.transport))

    def _succeed(self) -> FakeSuccessor:
        return FakeSuccessor()

    @property
    def successor(self) -> FakeSuccessor:
        assert isinstance(self.transport.protocol, FakeSuccessor)
        return self.transport.protocol

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.lane.data_received(piece)


async def settle(until: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not until():
            await asyncio.sleep(0)


class Elapsed:
    """True once this many seconds have passed; the loop turns meanwhile."""

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._due = loop.time() + seconds

    def __call__(self) -> bool:
        return self._time() >= self._due


def answer(body: bytes = b"hi", *, last: bool = False) -> bytes:
    end = b"connection: close\r\n" if last else b""
    return b"HTTP/1.1 200 OK\r\ndate: today\r\nx-seen: x\r\n%bcontent-length: %d\r\n\r\n%b" % (
        end,
        len(body),
        body,
    )


async def test_a_request_is_answered_in_one_piece() -> None:
    line = Line()
    line.feed(REQUEST)
    await settle(lambda: line.transport.written)
    assert line.transport.written == [answer()]
    assert not line.transport.closed


@pytest.mark.parametrize("cut", range(1, len(REQUEST)))
async def test_it_does_not_matter_where_the_bytes_are_cut(cut: int) -> None:
    line = Line()
    line.feed(REQUEST[:cut], REQUEST[cut:])
    await settle(lambda: line.transport.written)
    assert (line.transport.written, line.service.bodies) == ([answer()], [b"hi"])


async def test_a_request_that_comes_byte_by_byte_is_answered() -> None:
    line = Line()
    line.feed(*(bytes([byte]) for byte in REQUEST))
    await settle(lambda: line.transport.written)
    assert line.transport.written == [answer()]


async def test_requests_sent_ahead_are_answered_one_after_the_other() -> None:
    line = Line()
    line.feed(REQUEST + REQUEST.replace(b"hi", b"ho") + REQUEST[:10])
    line.feed(REQUEST[10:])
    await settle(lambda: len(line.transport.written) == 3)
    assert line.transport.written == [answer(), answer(b"ho"), answer()]


async def test_the_same_head_is_judged_once() -> None:
    line = Line()
    for _ in range(3):
        line.feed(REQUEST)
        await settle(lambda: line.lane._task is None)
    other = REQUEST.replace(b"Host: x", b"Host: y")
    line.feed(other)
    await settle(lambda: len(line.transport.written) == 4)
    assert [headers[0] for _, headers in line.service.judged] == [(b"host", b"x"), (b"host", b"y")]


async def test_a_head_that_only_begins_like_the_last_one_is_read_anew() -> None:
    line = Line()
    for request in (REQUEST, REQUEST.replace(b"/mcp", b"/mcp/bundles/b")):
        line.feed(request)
        await settle(lambda: line.lane._task is None)
    assert [path for path, _ in line.service.judged] == ["/mcp", "/mcp/bundles/b"]


UNUSUAL = {
    "another method": REQUEST.replace(b"POST", b"GET"),
    "another path": REQUEST.replace(b"/mcp", b"/api"),
    "a path that is not judged": REQUEST.replace(b"/mcp", b"/mcp/other"),
    "a head that is refused": REQUEST.replace(b"/mcp", b"/mcp/refused")[:-2],
    "the greeting of TLS": b"\x16\x03\x01\x02\x00",
    "another protocol": b"HELLO\r\n",
    "line feeds alone": REQUEST.replace(b"\r\n", b"\n"),
    "a query": REQUEST.replace(b"/mcp", b"/mcp?a=b"),
    "an encoded path": REQUEST.replace(b"/mcp", b"/mcp/%2e"),
    "an absolute target": REQUEST.replace(b"/mcp", b"http://x/mcp"),
    "HTTP/1.0": REQUEST.replace(b"1.1", b"1.0"),
    "no length": REQUEST.replace(b"Content-Length: 2\r\n", b""),
    "two lengths": REQUEST.replace(b"Host: x", b"Content-Length: 2"),
    "a signed length": REQUEST.replace(b": 2", b": +2"),
    "a list of lengths": REQUEST.replace(b": 2", b": 2, 2"),
    "a length beyond the bound": REQUEST.replace(b": 2", b": 1001"),
    "chunks": REQUEST.replace(b"Host: x", b"Transfer-Encoding: chunked"),
    "an expectation": REQUEST.replace(b"Host: x", b"Expect: 100-continue"),
    "an upgrade": REQUEST.replace(b"Host: x", b"Upgrade: websocket"),
    "the last request": REQUEST.replace(b"Host: x", b"Connection: close"),
    "a folded header": REQUEST.replace(b"Host: x", b"Host: x\r\n y"),
    "space before the colon": REQUEST.replace(b"Host: x", b"Host : x"),
    "a bare line feed": REQUEST.replace(b"Host: x\r\n", b"Host: x\n"),
    "a control character": REQUEST.replace(b"Host: x", b"Host: \0"),
    "no HTTP at all": b"\x16\x03\x01 hello\r\n\r\n",
    "a head without end": b"POST /mcp HTTP/1.1\r\n" + b"a: b\r\n" * 12_000,
}


@pytest.mark.parametrize("request_bytes", UNUSUAL.values(), ids=UNUSUAL.keys())
async def test_what_is_unusual_is_handed_over_as_it_came(request_bytes: bytes) -> None:
    line = Line()
    line.feed(request_bytes)
    assert line.successor.data == request_bytes
    assert line.successor.transport is line.transport
    assert not line.listener.connections, "the successor counts itself"
    assert not line.transport.written


async def test_a_connection_may_be_handed_over_after_it_was_used() -> None:
    line = Line()
    line.feed(REQUEST + UNUSUAL["chunks"])
    await settle(lambda: line.transport.protocol)
    assert line.transport.written == [answer()]
    assert line.successor.data == UNUSUAL["chunks"]


async def test_kept_alive_is_not_unusual() -> None:
    line = Line()
    line.feed(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n"))
    await settle(lambda: line.transport.written)
    assert line.transport.protocol is None


async def test_beyond_the_bound_connections_are_handed_over_at_once() -> None:
    line = Line(LaneConfig(max_connections=0))
    assert line.successor.transport is line.transport


async def test_a_client_that_goes_cancels_a_call_that_watches() -> None:
    line = Line()
    line.service.gate.clear()
    line.feed(REQUEST)
    await settle(lambda: line.service.bodies)
    line.lane.connection_lost(None)
    await settle(lambda: not line.listener.tasks)
    assert line.service.cancelled == 1
    assert not line.listener.connections
    assert not line.transport.written


async def test_a_client_that_goes_before_the_call_began_cancels_it_too() -> None:
    line = Line()
    line.service.gate.clear()
    line.feed(REQUEST)
    line.lane.connection_lost(None)
    await settle(lambda: not line.listener.tasks)
    assert line.service.cancelled == 1


async def test_a_call_that_does_not_watch_runs_on_and_the_server_waits_for_it() -> None:
    line = Line()
    line.service.watches = False
    line.service.gate.clear()
    line.feed(REQUEST)
    await settle(lambda: line.service.bodies)
    line.lane.connection_lost(None)
    assert len(line.listener.tasks) == 1
    line.service.gate.set()
    await settle(lambda: not line.listener.tasks)
    assert line.service.cancelled == 0


async def test_shutdown_closes_an_idle_connection_at_once() -> None:
    line = Line()
    line.lane.shutdown()
    assert line.transport.closed


async def test_shutdown_lets_the_answer_under_way_out_and_says_it_is_the_last() -> None:
    line = Line()
    line.service.gate.clear()
    line.feed(REQUEST + REQUEST)
    await settle(lambda: line.service.bodies)
    line.lane.shutdown()
    assert not line.transport.closed
    line.service.gate.set()
    await settle(lambda: line.transport.closed)
    assert line.transport.written == [answer(last=True)]
    assert len(line.service.bodies) == 1, "what was sent ahead is not begun"


async def test_a_call_given_up_on_shutdown_is_told_so() -> None:
    line = Line()
    line.service.gate.clear()
    line.feed(REQUEST)
    await settle(lambda: line.service.bodies)
    line.lane.shutdown()
    for task in line.listener.tasks:
        task.cancel()
    await settle(lambda: line.transport.closed)
    (written,) = line.transport.written
    assert written.startswith(b"HTTP/1.1 503 ")
    assert b"shutting down" in written


async def test_a_bug_is_answered_and_ends_the_connection() -> None:
    line = Line()
    line.feed(REQUEST.replace(b"hi", b"!!"))
    await settle(lambda: line.transport.closed)
    assert line.transport.written[0].startswith(b"HTTP/1.1 500 ")


async def test_a_client_that_does_not_read_is_not_served_on() -> None:
    line = Line()
    line.lane.pause_writing()
    line.feed(REQUEST)
    await asyncio.sleep(0)
    assert not line.service.bodies
    line.lane.resume_writing()
    await settle(lambda: line.transport.written)
    assert line.transport.written == [answer()]


async def test_what_is_sent_ahead_is_bounded_throughout() -> None:
    line, sent = Line(), 0
    while len(line.transport.written) < 5_000:
        if line.transport.reading:
            line.feed(REQUEST * 100)
            sent += 100
        assert len(line.lane._unread) <= 64 * 1024 + 2 * len(REQUEST * 100)
        await asyncio.sleep(0)
    await settle(lambda: len(line.transport.written) == sent)
    assert line.transport.reading


async def test_a_body_is_never_read_as_a_request() -> None:
    line = Line()
    inner = REQUEST.replace(b"hi", b"no")
    line.feed(REQUEST.replace(b": 2", b": %d" % len(inner))[:-2])
    line.lane.pause_writing()
    line.feed(inner)
    line.lane.resume_writing()
    await settle(lambda: line.transport.written)
    assert line.service.bodies == [inner]


async def test_calls_that_outlive_their_connections_are_bounded() -> None:
    line = Line(LaneConfig(max_connections=2))
    never = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        line.listener.tasks |= {group.create_task(_wait(never)) for _ in range(2)}
        line.feed(REQUEST)
        assert line.successor.data == REQUEST
        never.set()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def test_what_a_call_binds_does_not_show_in_the_next_one() -> None:
    seen: list[int] = []

    class Counting(Echo):
        async def answer(
            self, head: Head, body: bytes, watch: Watch, outlet: Outlet
        ) -> Reply | None:
            seen.append(COUNT.get())
            COUNT.set(COUNT.get() + 1)
            return await super().answer(head, body, watch, outlet)

    line = Line(service=Counting())
    line.feed(REQUEST * 3)
    await settle(lambda: len(line.transport.written) == 3)
    assert seen == [0, 0, 0]


async def test_a_call_given_up_before_its_first_step_ends_the_connection() -> None:
    line = Line(LaneConfig(patience_seconds=0.02))
    line.feed(REQUEST)
    assert line.lane._task is not None
    line.lane._task.cancel()
    await settle(lambda: line.transport.aborted or line.transport.closed)


async def test_an_answer_that_cannot_be_encoded_is_a_bug_like_any_other() -> None:
    class Odd(Echo):
        async def answer(
            self, head: Head, body: bytes, watch: Watch, outlet: Outlet
        ) -> Reply | None:
            return Reply(599, b"", [])

    line = Line(service=Odd())
    line.feed(REQUEST)
    await settle(lambda: line.transport.closed)
    assert line.transport.written[0].startswith(b"HTTP/1.1 500 ")


async def test_a_client_that_reads_slowly_gets_its_whole_answer() -> None:
    line = Line(LaneConfig(patience_seconds=0.02, keep_alive_seconds=0.02))
    line.feed(REQUEST)
    line.transport.unsent = 100

    def read_a_little() -> bool:
        line.transport.unsent -= 1
        return line.transport.unsent == 0

    await settle(lambda: line.transport.written)
    for _ in range(20):
        await settle(Elapsed(0.005))
        read_a_little()
    assert not line.transport.aborted
    await settle(lambda: line.transport.aborted)  # it stopped reading


async def test_secrets_are_not_shown() -> None:
    headers: HeaderList = [(b"authorization", b"Bearer s3cret")]
    head = Head(EVERYTHING, dict(headers), headers, "s3cret", None)
    assert "s3cret" not in repr(head)


@pytest.mark.parametrize(
    "begun",
    [b"", REQUEST[:9], REQUEST[:-1]],
    ids=["nothing", "half a head", "half a body"],
)
async def test_who_does_not_finish_a_request_is_hung_up_on(begun: bytes) -> None:
    line = Line(LaneConfig(patience_seconds=0.02))
    line.feed(begun)
    await settle(lambda: line.transport.aborted)


async def test_dripping_bytes_buys_no_time() -> None:
    line = Line(LaneConfig(patience_seconds=0.05))
    drops = (bytes([byte]) for byte in b"POST /mcp HTTP/1.1\r\nx: " + b"y" * 60_000)

    def drip() -> bool:
        line.feed(next(drops))
        return line.transport.aborted

    await settle(drip)


async def test_a_kept_connection_may_rest_but_not_for_ever() -> None:
    line = Line(LaneConfig(patience_seconds=0.02, keep_alive_seconds=0.1))
    line.feed(REQUEST)
    await settle(lambda: line.transport.written)
    began = asyncio.get_running_loop().time()
    await settle(lambda: line.transport.closed)
    assert asyncio.get_running_loop().time() - began >= 0.09


async def test_a_long_call_is_not_hung_up_on() -> None:
    line = Line(LaneConfig(patience_seconds=0.02, keep_alive_seconds=0.02))
    line.service.gate.clear()
    line.feed(REQUEST)
    await settle(Elapsed(0.08))
    assert not line.transport.aborted
    assert not line.transport.closed


# Answers in pieces.


class Streaming(Echo):
    """Answers through the outlet, doing what the body says."""

    async def answer(self, head: Head, body: bytes, watch: Watch, outlet: Outlet) -> Reply | None:
        with watch:
            if body == b"no":
                return Reply(200, body, [])
            assert not outlet.begun
            outlet.begin(200, [(b"content-type", b"text/event-stream")])
            outlet.write(b"one")
            outlet.write(b"")
            await self.gate.wait()
            await outlet.drained()
            outlet.write(b"two" * 10)
            if body == b"!!":
                raise RuntimeError("a bug")
            if body == b"ab":
                outlet.abort()
            outlet.end()
            outlet.end()
            outlet.write(b"three")
            return None
        self.cancelled += 1
        return None


BEGUN = (
    b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
)


def request(body: bytes) -> bytes:
    return b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n" + body


async def test_an_answer_in_pieces_is_chunked_and_the_last_of_its_connection() -> None:
    line = Line(service=Streaming())
    line.feed(request(b"no"), request(b"go"), request(b"no"))
    await settle(lambda: line.transport.closed)
    sent = b"".join(line.transport.written)
    assert sent.endswith(BEGUN + b"3\r\none\r\n" + b"1e\r\n" + b"two" * 10 + b"\r\n" + b"0\r\n\r\n")
    assert sent.count(b"HTTP/1.1") == 2, "what came behind the stream is not answered"


async def test_an_answer_that_breaks_off_does_not_look_complete() -> None:
    line = Line(service=Streaming())
    line.feed(request(b"!!"))
    await settle(lambda: line.transport.aborted)
    assert b"0\r\n\r\n" not in b"".join(line.transport.written)


async def test_a_client_that_does_not_read_is_waited_for() -> None:
    line = Line(service=Streaming())
    line.transport.unsent = 7
    line.lane.pause_writing()
    line.lane._writing_paused = False
    line.feed(request(b"go"))
    line.lane.pause_writing()
    await settle(lambda: line.transport.written)
    assert line.lane.unsent == 7
    await settle(lambda: line.lane._writable)
    assert not line.transport.closed
    line.lane.resume_writing()
    await settle(lambda: line.transport.closed)


async def test_a_client_that_leaves_ends_the_wait_and_is_sent_nothing() -> None:
    service = Streaming()
    service.gate.clear()
    line = Line(service=service)
    line.feed(request(b"go"))
    await settle(lambda: line.transport.written)
    written = list(line.transport.written)
    line.lane.connection_lost(None)
    await settle(lambda: service.cancelled)
    line.lane.begin(200, [])
    line.lane.write(b"x")
    line.lane.end()
    line.lane.abort()
    await line.lane.drained()
    assert (line.transport.written, line.lane.unsent) == (written, 0)


async def test_an_outlet_can_give_its_connection_up() -> None:
    line = Line(service=Streaming())
    line.feed(request(b"ab"))
    await settle(lambda: line.transport.aborted)
