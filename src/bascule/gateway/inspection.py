"""What the Rego engine found in a document, before anybody is judged by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bascule.gateway.rego import RegoDocument, RegoFailed


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a document cannot be used, and where: lines and columns count from 1; 0 is not known.

    `file` is the module's name, or `data.json`.
    """

    file: str
    line: int
    column: int
    why: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.why}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """`faults` are empty where the document can be used.

    `ast` is a JSON array with the engine's syntax tree of each module, in the order of their names:
    `{"source": {"file": …}, "version": 1, "ast": {"package": …, "imports": […], "rules": […]}}`.
    It is `[]` where a module does not parse. `rules` are the full paths of what the modules
    define, as `data.bascule.authz.allow`, functions included; `builtins` are the built-in functions
    that they call.
    """

    faults: tuple[Fault, ...] = ()
    ast: bytes = b"[]"
    rules: frozenset[str] = frozenset()
    builtins: frozenset[str] = frozenset()


class RegoUnfit(RegoFailed):
    """The document is why nothing is found out: looking at it takes more than there is.

    `private` says of what, and how much that is. Trying again does not help.
    """


class RegoInspector(Protocol):
    """Looks at documents before they are in force. Tests (`*_test.rego`) are loaded here."""

    async def inspect(
        self, modules: Mapping[str, str], data: str, *, tenant: str = ""
    ) -> Inspection:
        """What is in `modules` and `data`, a JSON text.

        Raises:
            RegoUnfit: it takes too long, or too much memory.
            RegoFailed: the engine is not to be had.
        """
        ...

    async def query(
        self, document: RegoDocument, query: str, given: bytes = b"{}", *, tenant: str = ""
    ) -> tuple[object, ...]:
        """The values of `query` (as `data.bascule.authz_test.test_it`) with `given` as input.

        () where it is undefined.

        Raises:
            RegoFailed: it has no answer; `private` says why.
        """
        ...
