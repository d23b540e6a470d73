"""Tools that cannot be executed as they are stored, and values that cannot be sent."""

from bascule.gateway.errors import ErrorCode, GatewayError, InvalidArgument

_LONGEST_NAME = 100


class UnusableOperation(GatewayError):
    """The stored operation cannot be turned into requests; an operator must import it again."""

    error = ErrorCode.TOOL_DISABLED


class UnsupportedMedia(GatewayError):
    """The operation takes a body of a media type that is not built here."""

    error = ErrorCode.UNSUPPORTED_MEDIA


def unusable(reason: str) -> UnusableOperation:
    """The error for an operation that breaks a rule; `reason` is for the operator."""
    return UnusableOperation(
        "The stored description of this tool is unusable, so it cannot be called. "
        "Its owner must import it again.",
        private=reason,
    )


def unsupported_media(media_type: str) -> UnsupportedMedia:
    """The error for a body of `media_type`."""
    return UnsupportedMedia(
        f"This tool takes a body of type {media_type[:_LONGEST_NAME]}, which is not supported. "
        "Its owner must import it again.",
        details={"media_type": media_type[:_LONGEST_NAME]},
    )


def invalid(argument: str, reason: str) -> InvalidArgument:
    """The error for one argument; `reason` completes a sentence that begins with its name."""
    name = argument[:_LONGEST_NAME]
    return InvalidArgument(f"`{name}` {reason}.", details={"field": name})
