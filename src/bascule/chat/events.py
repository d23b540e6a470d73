"""What a stream tells its reader of a turn, event by event.

Every event has a number within its message, from 1. Numbers only rise; they leap where a turn was
taken up again, after an answer of the person or a restart, so that none stands for two events. A
reader that was away sends the last number it has (`Last-Event-ID`); where the events after it are
gone, it is sent a `Snapshot` and goes on from there. So a reader needs one rule: a snapshot
replaces what it has, all else adds to it.
"""

from typing import TypeAlias

import msgspec

from bascule.chat.parts import CallPart, Message, MessageStatus, NoticePart


class Accepted(msgspec.Struct, tag="accepted", tag_field="type"):
    """What a person sent is kept as `message`, and `answer` is being made of it."""

    message: Message
    answer: Message


class Snapshot(msgspec.Struct, tag="snapshot", tag_field="type"):
    """The whole message as it stands."""

    message: Message


class TextDelta(msgspec.Struct, tag="text_delta", tag_field="type"):
    """More text at the end of the part number `part` (from 0); the first begins that part."""

    part: int
    text: str


class CallChanged(msgspec.Struct, tag="call", tag_field="type"):
    """The call at the part number `part`, new or changed, whole but for its `secret_state`."""

    part: int
    call: CallPart


class Noticed(msgspec.Struct, tag="notice", tag_field="type"):
    """A notice, at the part number `part`."""

    part: int
    notice: NoticePart


class Titled(msgspec.Struct, tag="title", tag_field="type"):
    """The conversation has a title now."""

    title: str


class Ended(msgspec.Struct, tag="end", tag_field="type"):
    """Nothing follows until somebody acts. Where `status` is `waiting`, a later stream goes on."""

    status: MessageStatus
    tokens_in: int = 0
    tokens_out: int = 0


Event: TypeAlias = Accepted | Snapshot | TextDelta | CallChanged | Noticed | Titled | Ended
