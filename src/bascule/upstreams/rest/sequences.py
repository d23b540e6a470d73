"""Answers that are sequences, of events or of JSON texts, read as they come. No I/O."""

from collections.abc import Iterable
from typing import Final

import msgspec

from bascule.gateway.call import JsonObject
from bascule.protocol.tools import text_content
from bascule.upstreams.mcp.events import Event, EventReader, EventTooLarge
from bascule.upstreams.rest.limits import AnswerLimits
from bascule.upstreams.rest.media import Sequence
from bascule.upstreams.strikes import strike_body, strike_text

_SEPARATORS: Final = {Sequence.LINES: b"\n", Sequence.RECORDS: b"\x1e"}
_USUAL_EVENT: Final = "message"
_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class Transcript:
    """Takes in an answer piece by piece, and makes a result of all of it.

    None of `secrets` comes into it. `is_full` once more came than `limits` let pass; what comes
    then is lost.
    """

    def __init__(
        self, sequence: Sequence, limits: AnswerLimits, secrets: Iterable[str] = ()
    ) -> None:
        self._secrets = tuple(secrets)
        self._limits = limits
        self._separator = _SEPARATORS.get(sequence)
        self._events = EventReader(limits.stream_bytes)
        self._rest = b""
        self._texts: list[str] = []
        self._items: list[bytes] | None = None if self._separator is None else []
        self._characters = 0
        self._bytes = 0
        self.count = 0
        self.is_full = False

    def take(self, piece: bytes) -> list[str]:
        """The items that `piece` completes, as text."""
        self._bytes += len(piece)
        if self._bytes > self._limits.stream_bytes:
            self.is_full = True
            return []
        texts = self._split(piece) if self._separator else self._read(piece)
        for text in texts:
            self._note(text)
        return texts

    def finish(self) -> list[str]:
        """What came last, where nothing showed that it was whole."""
        return [] if self.is_full else self.take(self._separator or b"\n\n")

    def result(self, ending: str = "") -> JsonObject:
        """Everything as text, within limits; JSON texts also as an array under `result`.

        `ending` says why there is no more, where it did not end by itself.
        """
        text = "\n".join(self._texts)[: self._limits.text_characters]
        if self._characters > self._limits.text_characters:
            ending = (
                f"Cut off here: these are the first {len(text):,} of {self._characters:,} "
                f"characters. {ending}"
            ).rstrip()
        told = f"{text}\n[{ending}]" if ending else text
        result: JsonObject = {"content": [text_content(told or "Done (nothing came).")]}
        if self._items is not None and not self.is_full:
            result["structuredContent"] = {"result": [msgspec.Raw(one) for one in self._items]}
        return result

    def _note(self, text: str) -> None:
        self.count += 1
        if self._characters <= self._limits.text_characters:
            self._texts.append(text)
        self._characters += len(text) + (1 if self._characters else 0)

    def _read(self, piece: bytes) -> list[str]:
        try:
            texts = [_in_words(event) for event in self._events.feed(piece)]
            return [strike_text(one, self._secrets) for one in texts] if self._secrets else texts
        except EventTooLarge:
            self.is_full = True
            return []

    def _split(self, piece: bytes) -> list[str]:
        *whole, self._rest = (self._rest + piece).split(self._separator)
        items = [one for raw in whole if (one := raw.strip())]
        if self._secrets:
            items = [strike_body(one, self._secrets) for one in items]
        if self._items is not None:
            self._keep(items)
        return [one.decode(errors="replace") for one in items]

    def _keep(self, items: list[bytes]) -> None:
        """Keep what is JSON for the structured content; one that is not leaves none."""
        lines = [one.translate(None, b"\r\n") for one in items]
        try:
            for line in lines:
                line.decode()
            _raw_decoder.decode(b"[" + b",".join(lines) + b"]")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._items = None
            return
        if self._items is not None:
            self._items += lines


def _in_words(event: Event) -> str:
    text = event.data.decode(errors="replace")
    return text if event.type == _USUAL_EVENT else f"{event.type}: {text}"
