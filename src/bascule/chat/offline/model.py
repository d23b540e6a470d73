"""The model without a network: a planner that is deterministic, and says what it is."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from bascule.chat.models import (
    Answered,
    Entry,
    Finished,
    ModelCard,
    ModelEvent,
    ModelRequest,
    Returned,
    Said,
    StopReason,
    Text,
    Wanted,
)
from bascule.chat.offline.planning import Decision, Planner
from bascule.chat.offline.wording import INTRODUCTION

CARD: Final = ModelCard(
    id="offline",
    provider="offline",
    label="Built-in planner",
    is_language_model=False,
    note="Not a language model: it matches your words to the tools by fixed rules, without "
    "a network.",
)
_PIECE: Final = re.compile(r"\S*\s+|\S+")
_WORDS_IN_PIECE: Final = 6
_CHARACTERS_PER_TOKEN: Final = 4


class OfflineModel:
    """A `Model` that needs no network. The same request is answered by the same events."""

    @property
    def card(self) -> ModelCard:
        """What it is."""
        return CARD

    async def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Stream the answer; never raises `ModelFailure`.

        It is planned in a thread, as it takes 0.1 s of CPU with a thousand tools.
        """
        decision = await asyncio.to_thread(_plan, request)
        text = _introduced(decision.text, request.entries)
        longest = max(request.max_tokens, 1) * _CHARACTERS_PER_TOKEN
        for piece in pieces(text[:longest]):
            yield Text(piece)
        for wanted in wishes(decision, request.entries):
            yield wanted
        if len(text) > longest:
            yield Finished(StopReason.LENGTH)
        else:
            yield Finished(StopReason.TOOLS if decision.calls else StopReason.END)

    async def aclose(self) -> None:
        """Nothing is open."""


def _plan(request: ModelRequest) -> Decision:
    return Planner(request).plan()


def _introduced(text: str, entries: Sequence[Entry]) -> str:
    """With what it is, the first time it says anything."""
    if any(isinstance(one, Answered) for one in entries):
        return text
    return f"{INTRODUCTION}\n\n{text}" if text else INTRODUCTION


def pieces(text: str) -> list[str]:
    """`text` in pieces of a few words, as it is streamed."""
    words = _PIECE.findall(text)
    return [
        "".join(words[at : at + _WORDS_IN_PIECE]) for at in range(0, len(words), _WORDS_IN_PIECE)
    ]


def wishes(decision: Decision, entries: Sequence[Entry]) -> list[Wanted]:
    """The calls, with ids that follow from the history."""
    seed = hashlib.sha256()
    for entry in entries:
        seed.update(_mark(entry))
    found: list[Wanted] = []
    for number, call in enumerate(decision.calls):
        told = msgspec.json.encode([number, call.tool.name, call.arguments], order="deterministic")
        digest = hashlib.sha256(seed.digest() + told).hexdigest()
        found.append(Wanted(f"call_{digest[:24]}", call.tool.name, call.arguments))
    return found


def _mark(entry: Entry) -> bytes:
    if isinstance(entry, Said):
        return b"\0said" + entry.text.encode(errors="replace")
    if isinstance(entry, Returned):
        return b"\0returned" + entry.id.encode(errors="replace")
    return b"\0answered" + b",".join(one.id.encode(errors="replace") for one in entry.wanted)
