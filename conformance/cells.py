"""The cells of the matrix: what stands behind the gateway, and what is expected of each front.

An exception is a scenario of which something cannot be had there, with the sentence that says why.
What is said must still fit the schema. One that is not needed any more is a failure, too: the list
must stay true.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-11-25"
REVISIONS: Final = (MODERN, LEGACY)


class Door(Enum):
    """Where the suite comes in."""

    PROXY = "`bascule proxy`"
    SERVER = "`/mcp/servers/NAME`"
    """Of an instance, with the key of a user whom a rule lets in."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An upstream behind the gateway. `exceptions` by revision, then scenario: why."""

    name: str
    era: str
    transport: str
    exceptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    door: Door = Door.PROXY


_KEYS: Final = (
    "A session's question has no key; its bridge must choose one. 2026-07-28 basic/patterns/mrtr: "
    "“inputRequests keys are server assigned identifiers and MUST be unique within the scope of "
    "the request.” The suite wants the literal key user_name."
)
_EXTRA: Final = (
    "Answers that come before the question belong to no call that waits. 2026-07-28 "
    "basic/patterns/mrtr: keys of inputResponses “correspond to the keys in the InputRequests map”."
)
_NO_TASKS: Final = (
    "The extension io.modelcontextprotocol/tasks is of revision 2026-07-28; a server of sessions "
    "has none, so none is advertised."
)
_TASKS: Final = (
    "tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields",
    "tasks-request-state-removal", "tasks-mrtr-input", "tasks-request-headers",
    "tasks-dispatch-and-envelope", "tasks-mrtr-composition",
)  # fmt: skip
_BEHIND_SESSIONS: Final = {
    MODERN: {
        "input-required-result-basic-elicitation": _KEYS,
        "input-required-result-ignore-extra-params": _EXTRA,
        **dict.fromkeys(_TASKS, _NO_TASKS),
    }
}

CELLS: Final = (
    Cell("both", "both", "http"),
    Cell("modern", "modern", "http"),
    Cell("legacy", "legacy", "http", _BEHIND_SESSIONS),
    Cell("stdio", "both", "stdio"),
    Cell("stdio-legacy", "legacy", "stdio", _BEHIND_SESSIONS),
    Cell("sse", "legacy", "sse", _BEHIND_SESSIONS),
    Cell("server", "both", "http", door=Door.SERVER),
    Cell("server-legacy", "legacy", "http", _BEHIND_SESSIONS, Door.SERVER),
)

# A gateway has streams of its own towards its clients, so these say nothing about what it relays.
OWN_STREAMS: Final = {
    "server-sse-disconnect-resume": "an upstream's closed stream is taken up again by the gateway",
    "server-sse-streams-functional": "a list may be answered as plain JSON",
}

NEVER_EXCUSED: Final = "wire-schema-valid"
"""The check, in every scenario, of each message against the schema of its revision."""

CLIENT_SCENARIOS: Final[Mapping[str, tuple[str, ...]]] = {
    MODERN: (
        "tools_call", "request-metadata", "http-standard-headers", "http-custom-headers",
        "http-invalid-tool-headers", "json-schema-ref-no-deref",
        "sep-2322-client-request-state", "json-schema-2020-12-preservation",
    ),
    LEGACY: ("initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"),
}  # fmt: skip

_AUTH_OF_BOTH: Final = (
    "auth/metadata-default", "auth/metadata-var1", "auth/metadata-var2", "auth/metadata-var3",
    "auth/basic-cimd", "auth/scope-from-www-authenticate", "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined", "auth/scope-step-up", "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic", "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none", "auth/pre-registration",
)  # fmt: skip
AUTH_SCENARIOS: Final[Mapping[str, tuple[str, ...]]] = {
    MODERN: (
        *_AUTH_OF_BOTH, "auth/resource-mismatch", "auth/offline-access-scope",
        "auth/offline-access-not-supported", "auth/authorization-server-migration",
        "auth/iss-supported", "auth/iss-not-advertised", "auth/iss-supported-missing",
        "auth/iss-wrong-issuer", "auth/iss-unexpected", "auth/iss-normalized",
        "auth/metadata-issuer-mismatch",
    ),
    LEGACY: _AUTH_OF_BOTH,
}  # fmt: skip
"""Scenarios in which the gateway signs in at the suite's server, on behalf of its caller."""

CLIENT_DOCUMENT: Final = "https://conformance-test.local/client-metadata.json"
"""What the suite wants a client of `auth/basic-cimd` to call itself."""

_AS_ITSELF: Final = (
    "An extension (io.modelcontextprotocol/oauth-client-credentials), not scored. A connector has "
    "client credentials of its own, with a token_url that an operator gives; it is not discovered."
)
_IDENTITY: Final = (
    "An extension, not scored. Exchange at an identity provider (RFC 8693) is what a connector's "
    "exchange does; the grant of RFC 7523 that would follow it is not spoken."
)
_DPOP: Final = "An extension, not scored. Tokens bound to a key (RFC 9449) are not asked for."
NOT_SPOKEN: Final[Mapping[str, str]] = {
    "auth/client-credentials-basic": _AS_ITSELF,
    "auth/client-credentials-jwt": _AS_ITSELF,
    "auth/enterprise-managed-authorization": _IDENTITY,
    "auth/wif-jwt-bearer": _IDENTITY,
    "auth/dpop": _DPOP,
    "auth/dpop-nonce": _DPOP,
}
"""Client scenarios that do not pass, with the reason; one that does must be taken out."""
