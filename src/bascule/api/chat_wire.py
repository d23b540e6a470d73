"""Messages and events of the assistant as they leave: every member, but for what is sealed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast

import msgspec
import structlog

from bascule.api.assistant import Assistant
from bascule.chat.desk import Numbered
from bascule.chat.events import Accepted, Event
from bascule.gateway.errors import GatewayError

SSE_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
MOST_LEVELS: Final = 100
"""Of JSON in JSON that leave: readers of the API, and what writes it, stop at some hundreds."""

_TOO_DEEP: Final = "(nested too deep to be shown)"
_COMMENT: Final = b": \n\n"
_SEALED: Final = frozenset({"secret_state", "version"})
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger(__name__)


def plain(value: object) -> Any:
    """`value` as JSON knows it, with the members that are as they are by default."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        tag = {} if config.tag_field is None else {config.tag_field: config.tag}
        names = (one for one in value.__struct_fields__ if one not in _SEALED)
        return {**tag, **{name: plain(getattr(value, name)) for name in names}}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(one) for one in cast("Sequence[object]", value)]
    return _cut(value, MOST_LEVELS) if is_deep(value) else value


def is_deep(value: object, levels: int = MOST_LEVELS) -> bool:
    """Whether JSON has more than so many `levels` of objects and arrays."""
    level = [value]
    for _ in range(levels):
        level = [member for one in level for member in _members(one)]
        if not level:
            return False
    return True


def _members(value: object) -> Sequence[object]:
    """Those members of an object or array that are one themselves."""
    found: Iterable[object] = ()
    if isinstance(value, Mapping):
        found = cast("Mapping[str, object]", value).values()
    elif isinstance(value, list | tuple):
        found = cast("Sequence[object]", value)
    return [one for one in found if isinstance(one, Mapping | list | tuple)]  # pyright: ignore[reportUnknownVariableType]


def _cut(value: object, levels: int) -> object:
    """`value` with a sentence in place of all that lies deeper than so many `levels`."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    if levels == 0:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value).items()
        return {name: _cut(one, levels - 1) for name, one in members}
    return [_cut(one, levels - 1) for one in cast("Sequence[object]", value)]


def encoded(event: Event, number: int | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2). Without a number it has no id."""
    told = plain(event)
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %b\ndata: %b\n\n" % (told["type"].encode(), _encode(told))


async def streamed(
    assistant: Assistant,
    events: AsyncIterator[Numbered],
    accepted: Accepted | None = None,
    standing: Callable[[], object] = lambda: None,
    reading: object = None,
) -> AsyncGenerator[bytes]:
    """A stream as it is sent, with comments where there is nothing to say; holds `reading`.

    It ends early, without a word, where the process is about to; where the listening fails, which
    is logged; and where `standing` raises: the reader is not let in any more.
    """
    _ = reading
    if accepted is not None:
        yield encoded(accepted)
    loop = asyncio.get_running_loop()
    # Not a TaskGroup, which a generator cannot hold open: both end with it, below.
    closing = loop.create_task(assistant.is_closing.wait())
    upcoming: asyncio.Task[Numbered | None] | None = None
    try:
        while not closing.done():
            upcoming = upcoming or loop.create_task(_next(events))
            await asyncio.wait(
                {upcoming, closing},
                timeout=assistant.heartbeat_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if upcoming.done():
                told, upcoming = upcoming.result(), None
                if told is None:
                    return
                standing()
                yield encoded(told.event, told.number)
            elif not closing.done():
                standing()
                yield _COMMENT
    except GatewayError as failure:
        _log.warning("chat.stream_broken", code=failure.error.code, reason=failure.private)
    finally:
        # Nothing is awaited before both are told: who serves this may be cancelled already, and
        # then no await returns.
        _end(closing)
        if upcoming is not None:
            _end(upcoming)
        elif isinstance(events, AsyncGenerator):
            await events.aclose()


async def _next(events: AsyncIterator[Numbered]) -> Numbered | None:
    return await anext(events, None)


def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    task.add_done_callback(_ended)


def _ended(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()  # nobody is there any more to be told of it
