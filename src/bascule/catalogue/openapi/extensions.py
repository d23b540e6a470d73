"""What authors say of an operation in `x-bascule-` members, and what counts where they do not."""

from collections.abc import Iterable
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.shapes import as_number
from bascule.gateway.tool import ParameterLocation, RestParameter, RiskLevel

_RISKS: Final = {
    "GET": RiskLevel.READ, "HEAD": RiskLevel.READ, "OPTIONS": RiskLevel.READ,
    "QUERY": RiskLevel.READ,
    "POST": RiskLevel.WRITE, "PUT": RiskLevel.WRITE, "PATCH": RiskLevel.WRITE,
    "DELETE": RiskLevel.PRIVILEGED,
}  # fmt: skip
# RFC 9110 section 9.2.2; QUERY: draft-ietf-httpbis-safe-method-w-body.
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "QUERY", "PUT", "DELETE"})
_KEY_HEADERS: Final = frozenset({"idempotency-key", "x-idempotency-key"})
_CACHE_SECONDS: Final = 300.0
_LONGEST_CACHE_SECONDS: Final = 86_400
_LONGEST_TIMEOUT_SECONDS: Final = 3_600
_LONGEST_LABEL: Final = 100


def risk_of(operation: Operation, context: Context) -> RiskLevel:
    """`x-bascule-risk`, or what the method may do; an unheard-of method may do anything."""
    default = _RISKS.get(operation.method, RiskLevel.PRIVILEGED)
    stated = operation.node.members.get("x-bascule-risk", default)
    if stated in list(RiskLevel):
        return RiskLevel(str(stated))
    _complain(
        operation, "x-bascule-risk",
        f"The risk must be read, write or privileged; {default} is assumed.", context,
    )  # fmt: skip
    return default


def is_idempotent(
    operation: Operation, parameters: Iterable[RestParameter], context: Context
) -> bool:
    """`x-bascule-idempotent`; or by the method, or as every call has to carry its own key."""
    default = operation.method in _IDEMPOTENT or any(
        one.required
        and one.location is ParameterLocation.HEADER
        and one.name.lower() in _KEY_HEADERS
        for one in parameters
    )
    stated = operation.node.members.get("x-bascule-idempotent", default)
    if isinstance(stated, bool):
        return stated
    _complain(
        operation, "x-bascule-idempotent",
        f"This must be true or false; {str(default).lower()} is assumed.", context,
    )  # fmt: skip
    return default


def cache_seconds_of(operation: Operation, risk: RiskLevel, context: Context) -> float:
    """`x-bascule-cache`: seconds, or true for 300; 0.0 where nothing may be given again."""
    stated = operation.node.members.get("x-bascule-cache", False)
    seconds = _CACHE_SECONDS * stated if isinstance(stated, bool) else as_number(stated)
    if seconds is None or not 0 <= seconds <= _LONGEST_CACHE_SECONDS:
        _complain(
            operation, "x-bascule-cache",
            f"This must be true, false or seconds up to {_LONGEST_CACHE_SECONDS:,}; nothing is "
            "cached.", context,
        )  # fmt: skip
        return 0.0
    if seconds and risk is not RiskLevel.READ:
        _complain(operation, "x-bascule-cache", "Only reads are cached; this is none.", context)
        return 0.0
    return float(seconds)


def timeout_seconds_of(operation: Operation, context: Context) -> float | None:
    """`x-bascule-timeout` in seconds; None where the upstream's own counts."""
    if "x-bascule-timeout" not in operation.node.members:
        return None
    seconds = as_number(operation.node.members["x-bascule-timeout"])
    if seconds is not None and 0 < seconds <= _LONGEST_TIMEOUT_SECONDS:
        return float(seconds)
    _complain(
        operation, "x-bascule-timeout",
        f"This must be seconds above 0, up to {_LONGEST_TIMEOUT_SECONDS:,}; that of the upstream "
        "counts.", context,
    )  # fmt: skip
    return None


def owner_of(operation: Operation, context: Context) -> str | None:
    """`x-bascule-owner` of the operation, or of the whole document."""
    return _label_of(operation, "x-bascule-owner", context)


def domain_of(operation: Operation, context: Context) -> str | None:
    """`x-bascule-domain` of the operation, or of the whole document."""
    return _label_of(operation, "x-bascule-domain", context)


def _label_of(operation: Operation, extension: str, context: Context) -> str | None:
    for node in (operation.node, context.document.root):
        stated = node.members.get(extension)
        if _is_label(stated):
            return str(stated)
        if extension in node.members:
            context.remarks.add(
                (*node.pointer, extension),
                f"This must be one line of up to {_LONGEST_LABEL} characters; it is left out.",
            )
    return None


def _is_label(stated: object) -> bool:
    if not isinstance(stated, str):
        return False
    return 0 < len(stated) <= _LONGEST_LABEL and stated.isprintable() and stated == stated.strip()


def _complain(operation: Operation, extension: str, message: str, context: Context) -> None:
    context.remarks.add((*operation.node.pointer, extension), message)
