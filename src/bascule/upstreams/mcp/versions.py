"""Which era a server speaks, from what it answers.

Source: specification 2026-07-28, basic/versioning and basic/transports "Backward Compatibility".
"""

from typing import Final

import msgspec

from bascule.protocol import codes
from bascule.protocol.versions import LEGACY_VERSIONS, MODERN_VERSION, Era
from bascule.upstreams.mcp.messages import Incoming, RpcError

# Errors only a modern server gives; any other is a legacy server's way to say it understood
# nothing. "The fallback MUST NOT be keyed to one specific error code."
MODERN_ERRORS: Final = frozenset(
    {codes.HEADER_MISMATCH, codes.MISSING_CLIENT_CAPABILITY, codes.UNSUPPORTED_VERSION}
)
# Spoken by servers of the first revision that also serve Streamable HTTP or stdio.
ACCEPTED_LEGACY_VERSIONS: Final = (*LEGACY_VERSIONS, "2024-11-05")


class NoCommonVersion(Exception):
    """The server named the versions it speaks, and none of them is spoken here."""


class _Discovered(msgspec.Struct):
    versions: list[str] = msgspec.field(name="supportedVersions")


class _Initialized(msgspec.Struct):
    version: str = msgspec.field(name="protocolVersion")


class _Unsupported(msgspec.Struct):
    supported: list[str]


def era_of(answer: Incoming) -> Era:
    """The era told by the answer to `server/discover`.

    Raises:
        NoCommonVersion: a modern server with other versions only.
    """
    if isinstance(answer.error, RpcError):
        return _era_of_error(answer.error)
    try:
        discovered = msgspec.json.decode(answer.result_bytes, type=_Discovered)
    except (msgspec.DecodeError, RecursionError):
        return Era.LEGACY
    return _choose(discovered.versions)


def legacy_version(answer: Incoming) -> str:
    """The version agreed on by an answer to `initialize`.

    Raises:
        NoCommonVersion: it is not spoken here.
        ValueError: the answer has no version.
    """
    try:
        initialized = msgspec.json.decode(answer.result_bytes, type=_Initialized)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the answer to initialize is not one: {error}") from None
    if initialized.version not in ACCEPTED_LEGACY_VERSIONS:
        raise NoCommonVersion(f"it speaks {initialized.version[:64]!r}")
    return initialized.version


def _era_of_error(error: RpcError) -> Era:
    if error.code not in MODERN_ERRORS:
        return Era.LEGACY
    if error.code == codes.UNSUPPORTED_VERSION:
        try:
            return _choose(msgspec.convert(error.data, _Unsupported).supported)
        except msgspec.ValidationError:
            raise NoCommonVersion("it names no version it speaks") from None
    return Era.MODERN


def _choose(versions: list[str]) -> Era:
    if MODERN_VERSION in versions:
        return Era.MODERN
    if any(version in ACCEPTED_LEGACY_VERSIONS for version in versions):
        return Era.LEGACY
    raise NoCommonVersion(f"it speaks {', '.join(versions)[:200]}")
