"""What is wrong with a document: remarks as values, and the one error that stops a conversion."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.pointers import Pointer, to_fragment
from bascule.gateway.errors import ErrorCode, GatewayError

_MOST_FINDINGS: Final = 1_000
_MOST_OF_A_KIND: Final = 50
_LONGEST_KIND: Final = 160
_PARTICULARS: Final = re.compile(r"""'[^']*'|"[^"]*"|\{[^}]*\}|\bhttps?://\S+|\d[\d,.]*""")


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on one place of a document.

    `location` is a JSON pointer as a fragment (`#/paths/~1pets/get`), behind the name of its file
    where that is not the main document. `line` counts from 1 and is None where the place is not
    in the text (a member that is missing).
    """

    location: str
    message: str
    line: int | None = None


class DocumentRejected(GatewayError):
    """The document cannot become tools. `public` says what to do.

    `details` holds `findings`: a list of `{"location", "line", "message"}`.
    """

    error = ErrorCode.INVALID_REQUEST

    def __init__(self, public: str, findings: Iterable[Finding] = ()) -> None:
        self.findings = tuple(findings)
        listed = [
            {"location": one.location, "line": one.line, "message": one.message}
            for one in self.findings
        ]
        super().__init__(public, details={"findings": listed})


class Unconvertible(Exception):
    """The part at `pointer` has no faithful translation; what depends on it is left out."""

    def __init__(self, pointer: Pointer, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason


def _itself(pointer: Pointer) -> Pointer:
    return pointer


class Remarks:
    """Gathers findings while a document is converted: each once, at most fifty of a kind.

    `origin` gives, for a place that is remarked on, the place in the text that it came from.
    """

    def __init__(self, origin: Callable[[Pointer], Pointer] = _itself) -> None:
        self._origin = origin
        self._found: dict[tuple[Pointer, str], None] = {}
        self._kinds: Counter[str] = Counter()

    def at_origins(self, origin: Callable[[Pointer], Pointer]) -> "Remarks":
        """Remarks like these and among them, on places that `origin` gives the originals of."""
        remarks = Remarks(origin)
        remarks._found, remarks._kinds = self._found, self._kinds
        return remarks

    def add(self, pointer: Pointer, message: str) -> None:
        """Note `message` about the place at `pointer`."""
        key = (self._origin(pointer), message)
        if key in self._found:
            return
        kind = _kind_of(message)
        self._kinds[kind] += 1
        if self._kinds[kind] <= _MOST_OF_A_KIND and len(self._found) < _MOST_FINDINGS:
            self._found[key] = None

    def pointers(self) -> Sequence[Pointer]:
        """The places remarked on."""
        return [pointer for pointer, _ in self._found]

    def findings(self, lines: dict[Pointer, int]) -> tuple[Finding, ...]:
        """Everything noted, with the line of each place where known."""
        found = [
            Finding(to_fragment(pointer), message, lines.get(pointer))
            for pointer, message in self._found
        ]
        shown = Counter(_kind_of(message) for _, message in self._found)
        for kind, count in self._kinds.items():
            if count > shown[kind]:
                found.append(Finding("#", f"And {count - shown[kind]:,} more: {kind}"))
        return tuple(found)


def _kind_of(message: str) -> str:
    """What remarks of the same kind have in common: all but names, numbers and the reason."""
    return _PARTICULARS.sub("\u2026", message[:_LONGEST_KIND])
