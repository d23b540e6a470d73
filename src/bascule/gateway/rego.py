"""Policies written in Rego, and the port to what evaluates them.

The package is `bascule.authz`; its `allow` decides and its `reason`, a text, says why. Both are
evaluated with the same `input`, whatever the engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from bascule.gateway.errors import ErrorCode, GatewayError

PACKAGE: Final = "bascule.authz"
"""What is asked for: `data.bascule.authz.allow` and `data.bascule.authz.reason`."""

MOST_MODULE_BYTES: Final = 256 * 1024
MOST_DATA_BYTES: Final = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RegoDocument:
    """Modules by file name, and the JSON text of `data`.

    `digest` is the SHA-256 of both in hex: equal ones are the same document. `reads` are the paths
    of `input` that an answer may depend on, each as its members (`("tool", "risk")`), found by
    analysis; None where anything may be read. `uses_time` says that an answer depends on when it is
    asked for besides. Modules whose file name ends with `_test.rego` are its tests, and not loaded
    to decide.
    """

    digest: str
    modules: Mapping[str, str] = field(hash=False)
    data: str = field(default="{}", hash=False, repr=False)
    reads: frozenset[tuple[str, ...]] | None = None
    uses_time: bool = True


@dataclass(frozen=True, slots=True)
class RegoAnswer:
    """What a document said. `allow` is True only where it is defined and true."""

    allow: bool
    reason: str = ""


class RegoFailed(GatewayError):
    """There is no answer: refuse. `private` says why (time-out, error, engine unreachable)."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


class RegoEngine(Protocol):
    """Evaluates documents. One tenant's cannot keep another's from being evaluated."""

    async def evaluate(
        self, tenant: str, document: RegoDocument | None, inputs: Sequence[bytes], deadline: float
    ) -> list[RegoAnswer]:
        """The answers to `inputs`, each a JSON object, in order.

        An engine that has documents of its own (an OPA server) is asked with None. `deadline` is
        in seconds of `time.monotonic`; an engine has bounds of its own besides.

        Raises:
            RegoFailed: an input could not be answered; then none counts.
        """
        ...
