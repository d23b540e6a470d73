"""Built-in functions of Rego that the engine does not have, or must not have here.

What is not supplied and not in the engine is named when a document is inspected, and fails when it
is called.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

Function: TypeAlias = Callable[..., Any]
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED: Final[Mapping[str, tuple[int, str]]] = {
    "http.send": (1, "a policy cannot call out; put what it needs into its data"),
    "net.lookup_ip_addr": (1, "a policy cannot call out; put the addresses into its data"),
    "opa.runtime": (0, "a policy sees nothing of the process that evaluates it"),
    "rand.intn": (2, "an answer must be the same for the same input"),
    "uuid.rfc4122": (1, "an answer must be the same for the same input"),
}
"""The number of arguments, and why it is refused. `time.now_ns` is the call's `input.time_ns`."""


def supplied() -> dict[str, tuple[int, Function]]:
    """Each function that stands for one of Rego's, by its name, with its number of arguments."""
    found: dict[str, tuple[int, Function]] = {
        "crypto.hmac.equal": (2, _equal),
        "net.cidr_intersects": (2, _intersects),
        "net.cidr_merge": (1, _merge),
    }
    for name in ("md5", "sha1", "sha256"):
        found[f"crypto.{name}"] = (1, _hash(name))
    for name in ("md5", "sha1", "sha256", "sha512"):
        found[f"crypto.hmac.{name}"] = (2, _keyed(name))
    for name, (arguments, why) in REFUSED.items():
        found[name] = (arguments, _refusal(name, why))
    return found


def _refusal(name: str, why: str) -> Function:
    def refuse(*_: object) -> Any:
        raise ValueError(f"{name} is not available: {why}")

    return refuse


def _hash(name: str) -> Function:
    def digest(value: object) -> str:
        return hashlib.new(name, _text(value), usedforsecurity=False).hexdigest()

    return digest


def _keyed(name: str) -> Function:
    def digest(value: object, key: object) -> str:
        return hmac.new(_text(key), _text(value), name).hexdigest()

    return digest


def _equal(one: object, other: object) -> bool:
    return hmac.compare_digest(_text(one), _text(other))


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"expects a string, got {value!r:.40}")
    return value.encode()


def _network(value: object, *, or_address: bool = False) -> _Network:
    text = _text(value).decode()
    if "/" not in text and not or_address:
        raise ValueError(f"{text!r:.60} is no range of addresses: 10.0.0.0/8 would be one")
    return ipaddress.ip_network(text, strict=False)


def _intersects(one: object, other: object) -> bool:
    mine, theirs = _network(one), _network(other)
    return mine.version == theirs.version and mine.overlaps(theirs)


def _merge(operand: object) -> set[str]:
    if not isinstance(operand, list | set | frozenset):
        raise TypeError("expects an array or a set")
    networks = [_network(one, or_address=True) for one in cast("list[object]", operand)]
    old = [one for one in networks if isinstance(one, ipaddress.IPv4Network)]
    new = [one for one in networks if isinstance(one, ipaddress.IPv6Network)]
    merged = [*ipaddress.collapse_addresses(old), *ipaddress.collapse_addresses(new)]
    return {str(one) for one in merged}
