"""Calls put together from the pieces in which providers stream them."""

from collections.abc import Iterator
from typing import Final, cast

import msgspec

from bascule.chat.connectors.wording import failure
from bascule.chat.models import FailureKind, Wanted
from bascule.chat.parts import JsonObject

MOST_CALLS: Final = 64
MOST_ARGUMENT_CHARACTERS: Final = 256 * 1024


class _Piece(msgspec.Struct):
    id: str = ""
    name: str = ""
    texts: list[str] = []
    size: int = 0


class Assembly:
    """The calls of one answer, by the position that the provider gives them."""

    def __init__(self) -> None:
        self._pieces: dict[int, _Piece] = {}
        self._earlier: list[_Piece] = []

    def begin(self, position: int, call_id: str, name: str, *, is_whole: bool = False) -> None:
        """Name the call at `position`. What is empty leaves what is known already.

        Another id together with a name is another call at the same place, and so is another name
        where calls come whole. An id alone is not: some servers make a new one for each piece.
        """
        known = self._pieces.get(position)
        is_other = known is not None and bool(call_id) and call_id != known.id
        if known is not None and known.name and name and (is_other or (is_whole and not call_id)):
            self._earlier.append(self._pieces.pop(position))
        piece = self._at(position)
        piece.id = call_id or piece.id
        piece.name = name or piece.name

    def add(self, position: int, text: str) -> None:
        """Add a piece of the JSON of its arguments.

        Raises:
            ModelFailure: there are too many calls, or they are too long.
        """
        piece = self._at(position)
        piece.size += len(text)
        if piece.size > MOST_ARGUMENT_CHARACTERS:
            raise failure(FailureKind.REJECTED, f"arguments of {piece.name} are too long")
        piece.texts.append(text)

    def calls(self) -> Iterator[Wanted]:
        """The calls, whole.

        Raises:
            ModelFailure: one has no name, or its arguments are not a JSON object.
        """
        pieces = [*self._earlier, *(piece for _, piece in sorted(self._pieces.items(), key=_place))]
        for position, piece in enumerate(pieces):
            if not piece.name:
                raise failure(FailureKind.REJECTED, f"the call at {position} has no name")
            arguments = _arguments("".join(piece.texts), piece.name)
            yield Wanted(piece.id or f"call_{position}", piece.name, arguments)

    def __len__(self) -> int:
        return len(self._earlier) + len(self._pieces)

    def _at(self, position: int) -> _Piece:
        known = self._pieces.get(position)
        if known is not None:
            return known
        if len(self) >= MOST_CALLS:
            raise failure(FailureKind.REJECTED, f"more than {MOST_CALLS} calls in one answer")
        made = self._pieces[position] = _Piece()
        return made


def _place(item: tuple[int, _Piece]) -> int:
    return item[0]


def _arguments(text: str, name: str) -> JsonObject:
    if not text.strip():
        return {}  # providers leave them out for tools without parameters
    try:
        decoded = cast("object", msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError) as refused:
        raise failure(
            FailureKind.REJECTED, f"arguments of {name} are not JSON: {refused}"
        ) from refused
    if not isinstance(decoded, dict):
        raise failure(FailureKind.REJECTED, f"arguments of {name} are not a JSON object")
    return cast("JsonObject", decoded)
