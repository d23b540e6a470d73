"""The protocol revisions spoken here, and the two eras they fall into.

Source: specification 2026-07-28, basic/versioning.
"""

from enum import StrEnum
from typing import Final


class Era(StrEnum):
    """How a client states its version: on every request, or once in a handshake."""

    MODERN = "modern"
    LEGACY = "legacy"


MODERN_VERSION: Final = "2026-07-28"
LATEST_LEGACY_VERSION: Final = "2025-11-25"
# A legacy request without the header is taken for this revision (2025-11-25 basic/transports).
ASSUMED_LEGACY_VERSION: Final = "2025-03-26"

MODERN_VERSIONS: Final = (MODERN_VERSION,)
OLDEST_VERSION: Final = "2024-11-05"
LEGACY_VERSIONS: Final = (
    LATEST_LEGACY_VERSION, "2025-06-18", ASSUMED_LEGACY_VERSION, OLDEST_VERSION,
)  # fmt: skip
SUPPORTED_VERSIONS: Final = MODERN_VERSIONS + LEGACY_VERSIONS


def negotiate_legacy(requested: str) -> str:
    """Answer an `initialize`: the client's version where spoken, else the newest legacy one."""
    return requested if requested in LEGACY_VERSIONS else LATEST_LEGACY_VERSION
