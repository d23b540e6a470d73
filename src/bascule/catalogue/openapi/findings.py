"""What is wrong with a document: remarks as values, and the one error that stops a conversion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.pointers import Pointer, to_fragment
from bascule.gateway.errors import ErrorCode, GatewayError

_MOST_FINDINGS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on one place of a document.

    `location` is a JSON pointer as a fragment (`#/paths/~1pets/get`), `line` counts from 1 and
    is None where the place is not in the text (a member that is missing).
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


class Remarks:
    """Gathers findings while a document is converted: each once, and at most a thousand."""

    def __init__(self) -> None:
        self._found: dict[tuple[Pointer, str], None] = {}
        self._left_out = 0

    def add(self, pointer: Pointer, message: str) -> None:
        """Note `message` about the place at `pointer`."""
        key = (pointer, message)
        if key in self._found:
            return
        if len(self._found) >= _MOST_FINDINGS:
            self._left_out += 1
            return
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
        if self._left_out:
            found.append(Finding("#", f"{self._left_out} more remarks are not shown."))
        return tuple(found)
