"""The conversation so far, as turns: what a person wrote, and what came of the calls after it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bascule.chat.models import Entry, ModelTool, Returned, Said, Wanted
from bascule.chat.offline.messages import Message, read_message
from bascule.chat.offline.shapes import as_object, as_text
from bascule.chat.parts import CallState, JsonObject
from bascule.chat.results import MAY_HAVE_ACTED
from bascule.gateway.builtin import CALL_TOOL, SEARCH_TOOLS

_MOST_TURNS: Final = 40
"""Turns that are read; what was said before them is forgotten."""


_DATA: Final = re.compile(
    r"^\[data ([0-9a-f]{12})\]\n(.*)\n\[data \1 ends\]\Z", re.DOTALL | re.MULTILINE
)
"""As `bascule.chat.results.told` marks it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. `batch` counts the answers of the assistant from 0."""

    turn: int
    batch: int
    name: str
    tool: ModelTool | None
    """None where it is not offered any more."""
    arguments: JsonObject
    structured: JsonObject | None
    text: str
    is_error: bool
    state: CallState = CallState.DONE
    decided: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows if it was done."""
        has_begun = self.state is CallState.CANCELLED and self.text == MAY_HAVE_ACTED
        return self.state is CallState.UNKNOWN or has_begun


@dataclass(slots=True)
class Turn:
    """A message, and the outcomes until the next one."""

    message: Message
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def latest(self) -> list[Outcome]:
        """The outcomes of the last answer."""
        last = self.outcomes[-1].batch if self.outcomes else -1
        return [one for one in self.outcomes if one.batch == last]


def read_turns(
    entries: Sequence[Entry], tools: Mapping[str, ModelTool], now: datetime
) -> list[Turn]:
    """The last turns of `entries`."""
    texts = [at for at, one in enumerate(entries) if isinstance(one, Said)]
    first = texts[-_MOST_TURNS] if len(texts) > _MOST_TURNS else 0
    turns: list[Turn] = []
    wanted: dict[str, Wanted] = {}
    batch = 0
    for entry in entries[first:]:
        if isinstance(entry, Said):
            turns.append(Turn(read_message(len(turns), entry.text, now)))
        elif isinstance(entry, Returned):
            if turns and entry.name != SEARCH_TOOLS:
                turns[-1].outcomes.append(_outcome(entry, len(turns) - 1, batch, wanted, tools))
        else:
            batch += 1
            wanted = {one.id: one for one in entry.wanted}
    return turns


def _outcome(
    entry: Returned,
    turn: int,
    batch: int,
    wanted: Mapping[str, Wanted],
    tools: Mapping[str, ModelTool],
) -> Outcome:
    name, arguments = called(entry.name, wanted.get(entry.id))
    return Outcome(
        turn,
        batch,
        name,
        tools.get(name),
        arguments,
        entry.structured,
        data_of(entry.text),
        entry.is_error,
        entry.state,
        entry.decided,
    )


def called(name: str, call: Wanted | None) -> tuple[str, JsonObject]:
    """The tool that was called and its arguments, also where it was called by another one."""
    arguments = call.arguments if call else {}
    inner = as_text(arguments.get("name"))
    if name == CALL_TOOL and inner:
        return inner, as_object(arguments.get("arguments")) or {}
    return name, arguments


def data_of(text: str) -> str:
    """What a tool said, without the marks around it and the words before them."""
    found = _DATA.search(text)
    return found[2] if found else text
