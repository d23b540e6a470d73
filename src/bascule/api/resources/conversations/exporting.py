"""A conversation as a file to keep.

As Markdown, what each side wrote stands in a quotation, where no line of it passes for another
message; and whatever opens the file runs nothing and fetches nothing of it (CommonMark 0.31,
sections 4.5, 4.6, 5.1, 6.4 and 6.6).
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from bascule.api.chat_wire import plain
from bascule.chat.parts import CallPart, Message, NoticePart, Role, TextPart
from bascule.chat.store import Conversation

_TICKS: Final = re.compile(r"`+")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_FENCE: Final = re.compile(r"(`{3,}|~{3,})[^`]*")
_MARKUP: Final = re.compile(r"<(?=[A-Za-z/!?])")
_SPEAKERS: Final = {Role.USER: "You", Role.ASSISTANT: "Assistant"}


def as_json(conversation: Conversation, messages: list[Message]) -> bytes:
    """Everything that was said, in all branches."""
    told: dict[str, Any] = {
        "conversation": plain(conversation),
        "messages": [plain(one) for one in messages],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def as_markdown(conversation: Conversation, messages: list[Message]) -> str:
    """`messages` for people; what tools were given and gave stands in blocks of code."""
    title = _inert(" ".join(conversation.title.split())) or "Conversation"
    pieces = [f"# {title}", *(_message(one) for one in messages)]
    return "\n\n".join(pieces) + "\n"


def _message(message: Message) -> str:
    at = datetime.fromtimestamp(message.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    pieces = [f"## {_SPEAKERS[message.role]}, {at}"]
    for part in message.parts:
        if isinstance(part, TextPart):
            pieces += [_quoted(part.text)] if part.text.strip() else []
        elif isinstance(part, NoticePart):
            pieces.append(_quoted(part.text))
        else:
            pieces += _call(part)
    return "\n\n".join(pieces)


def _call(call: CallPart) -> list[str]:
    name = " ".join(call.tool.replace("`", "").split())
    pieces = [f"**Tool** `{name}`: {call.state.value.replace('_', ' ')}", _block(call.arguments)]
    if call.error:
        pieces.append(_fenced(call.error, ""))
    elif call.structured is not None:
        pieces.append(_block(call.structured))
    elif call.content:
        texts = (str(one.get("text", "")) for one in call.content if one.get("type") == "text")
        pieces.append(_fenced("\n".join(texts), ""))
    return pieces


def _quoted(text: str) -> str:
    """Markdown of somebody else as a quotation without HTML and images; its code stays as it is.

    Where it cannot be told for certain what is code, nothing is taken for it.
    """
    lines: list[str] = []
    fence, is_certain = "", True
    for line in _LINE_END.split(text):
        begins = _FENCE.fullmatch(line) if is_certain else None
        if fence:
            lines.append(line)
            if _closes(line, fence):
                # Further in it may be code still, or not: a tab counts from where the line begins.
                fence, is_certain = "", not line.startswith((" ", "\t"))
        elif begins:
            lines.append(line)
            fence = begins[1]
        else:
            is_certain = is_certain and "```" not in line and "~~~" not in line
            lines.append(_inert(line))
    return "\n".join(f"> {line}" if line else ">" for line in lines)


def _closes(line: str, fence: str) -> bool:
    marks = line.strip(" \t")
    return set(marks) == {fence[0]} and len(marks) >= len(fence)


def _inert(line: str) -> str:
    """References to characters begin neither HTML nor an image, and read the same."""
    return _MARKUP.sub("&lt;", line).replace("![", "!&#91;")


def _block(value: object) -> str:
    return _fenced(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), "json")


def _fenced(text: str, language: str) -> str:
    """A block of code that nothing in `text` can end."""
    longest = max((len(one) for one in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
