"""What the gateway and a worker say to each other: one frame asks, one frame answers.

A frame is four bytes of length, most significant first, and so many bytes of MessagePack.
"""

from typing import Final, TypeAlias

import msgspec

PREFIX_BYTES: Final = 4
MOST_ANSWER_BYTES: Final = 128 * 1024 * 1024
"""Of one frame from a worker: the syntax tree of the largest document fits in."""

MOST_REASON: Final = 1000
"""Characters of any text in which something is explained."""


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Keep a document under `name`, and forget those of `forget` first."""

    name: str
    modules: dict[str, str]
    data: str
    forget: tuple[str, ...] = ()


class Evaluate(msgspec.Struct, frozen=True, tag="evaluate"):
    """Decide about `inputs` by the document `name`.

    Once `slice_seconds` are over, the rest of them is left for another time.
    """

    name: str
    inputs: tuple[bytes, ...]
    slice_seconds: float


class Query(msgspec.Struct, frozen=True, tag="query"):
    """Evaluate `query` by the document `name` with the input `given`."""

    name: str
    query: str
    given: bytes


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """Say what is in a document."""

    modules: dict[str, str]
    data: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Said once, unasked: questions may come."""


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The document is kept."""


class Answers(msgspec.Struct, frozen=True, tag="answers"):
    """What is allowed, and the reasons: of the first inputs, at least of one."""

    answers: tuple[tuple[bool, str], ...]


class Values(msgspec.Struct, frozen=True, tag="values"):
    """The JSON array of the values of a query."""

    values: bytes


class Inspected(msgspec.Struct, frozen=True, tag="inspected"):
    """As `bascule.gateway.inspection.Inspection`; a fault is file, line, column and why."""

    faults: tuple[tuple[str, int, int, str], ...]
    ast: bytes
    rules: tuple[str, ...]
    builtins: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The engine says why it has no answer; the worker goes on."""

    why: str


Request: TypeAlias = Load | Evaluate | Query | Inspect
Response: TypeAlias = Ready | Loaded | Answers | Values | Inspected | Failed

_encoder: Final = msgspec.msgpack.Encoder()
_requests: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_responses: Final[msgspec.msgpack.Decoder[Response]] = msgspec.msgpack.Decoder(Response)


class Garbled(Exception):
    """What came is no message."""


def framed(message: Request | Response) -> bytes:
    """`message` as a frame."""
    frame = bytearray(PREFIX_BYTES)
    _encoder.encode_into(message, frame, PREFIX_BYTES)
    frame[:PREFIX_BYTES] = (len(frame) - PREFIX_BYTES).to_bytes(PREFIX_BYTES, "big")
    return bytes(frame)


def request_in(body: bytes) -> Request:
    """The request in the body of a frame.

    Raises:
        Garbled: there is none.
    """
    try:
        return _requests.decode(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Garbled(str(error)) from None


class ResponseReader:
    """Puts responses together from pieces as they come."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes) -> list[Response]:
        """The responses that are complete with `piece`.

        Raises:
            Garbled: this is no response, or larger than one may be.
        """
        self._held += piece
        found: list[Response] = []
        while len(self._held) >= PREFIX_BYTES:
            size = int.from_bytes(self._held[:PREFIX_BYTES], "big")
            if size > MOST_ANSWER_BYTES:
                raise Garbled(f"an answer of {size} bytes")
            end = PREFIX_BYTES + size
            if len(self._held) < end:
                break
            found.append(_response_in(bytes(self._held[PREFIX_BYTES:end])))
            del self._held[:end]
        return found


def _response_in(body: bytes) -> Response:
    try:
        return _responses.decode(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Garbled(str(error)) from None
