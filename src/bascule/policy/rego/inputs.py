"""A question as Rego is asked it: the `input`, and the values in it that an answer depends on.

Both come from one table, so that what is remembered by those values is what was sent.
"""

import hashlib
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any, Final, TypeAlias, cast

import msgspec

from bascule.gateway.decision import Question
from bascule.gateway.inventory import ItemKind
from bascule.gateway.tool import McpSource, Tool
from bascule.protocol.uris import forms_of

Path: TypeAlias = tuple[str, ...]
"""A place in `input`, as the names of members that lead to it; empty: all of it."""

_LONGEST_COMPARED: Final = 128
_MOST_ADDRESSES: Final = 4096

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def _times(question: Question) -> int:
    return math.floor(question.circumstances.moment)


def _time(question: Question) -> str:
    return datetime.fromtimestamp(_times(question), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(question: Question) -> str:
    """The name at home: a policy about it must not stop to apply where a bundle has another."""
    subject = question.subject
    home = subject.home if isinstance(subject, Tool) else None
    return subject.name if home is None else home.name


def _bundle(question: Question) -> str:
    subject = question.subject
    home = subject.home if isinstance(subject, Tool) else None
    return subject.bundle if home is None else home.bundle


def _names(question: Question) -> tuple[str, ...]:
    """Every name it goes by, also at the server that it comes from; sorted.

    A URI is there in all spellings that a server may take for the same.
    """
    subject = question.subject
    if not isinstance(subject, Tool):
        inner = (subject.inner,) if subject.kind is ItemKind.PROMPT else forms_of(subject.inner)
        return tuple(sorted({subject.name, *inner}))
    own = {subject.source.name} if isinstance(subject.source, McpSource) else set[str]()
    return tuple(sorted({subject.name, _name(question), *own}))


def _tags(question: Question) -> tuple[str, ...]:
    subject = question.subject
    return subject.tags if isinstance(subject, Tool) else ()


def _version(question: Question) -> str:
    subject = question.subject
    return subject.version if isinstance(subject, Tool) else ""


def _upstream(question: Question) -> str:
    subject = question.subject
    return subject.source.upstream if isinstance(subject, Tool) else subject.upstream


def _domain(question: Question) -> str | None:
    subject = question.subject
    return subject.domain if isinstance(subject, Tool) else None


def _owner(question: Question) -> str | None:
    subject = question.subject
    return subject.owner if isinstance(subject, Tool) else None


def _kind(question: Question) -> str:
    subject = question.subject
    return "tool" if isinstance(subject, Tool) else subject.kind.value


def _address(peer: str) -> str:
    return peer if ":" not in peer else _plain_address(peer)


@lru_cache(_MOST_ADDRESSES)
def _plain_address(peer: str) -> str:
    """An IPv6 address in its usual spelling; the IPv4 address where it stands for one."""
    try:
        address = IPv6Address(peer)
    except ValueError:
        return peer
    return str(address.ipv4_mapped or address)


Value: TypeAlias = Callable[[Question], Hashable]

_TOOL: Final[Mapping[str, Value]] = {
    "name": lambda question: _brief(_name(question)),
    "bundle": _bundle,
    "names": _names,
    "shown_as": lambda question: _brief(question.subject.name),
    "shown_in": lambda question: question.subject.bundle,
    "risk": lambda question: question.subject.risk.value,
    "tags": _tags,
    "version": _version,
    "upstream": _upstream,
    "domain": _domain,
    "owner": _owner,
}
_FIXED: Final[Mapping[str, Value]] = {
    "action": lambda question: question.action.value,
    "user": lambda question: question.principal.subject,
    "user_id": lambda question: question.principal.user_id,
    "agent": lambda question: question.principal.agent,
    "means": lambda question: question.principal.means.value,
    "roles": lambda question: question.principal.roles,
    "groups": lambda question: question.principal.groups,
    "tenant": lambda question: question.principal.tenant,
    "kind": _kind,
    "ip": lambda question: _address(question.circumstances.peer),
    "time": _times,
    "time_ns": _times,
}
_SHOWN: Final[Mapping[str, Callable[[Question], object]]] = {
    "roles": lambda question: sorted(question.principal.roles),
    "groups": lambda question: sorted(question.principal.groups),
    "time": _time,
    "time_ns": lambda question: _times(question) * 1_000_000_000,
}
"""The members that `input` shows in another form than that in which they are compared."""

_ARGUMENTS: Final = "arguments"


def document(question: Question) -> dict[str, Any]:
    """The `input` for `question`; `arguments` is absent where they are not known."""
    made: dict[str, Any] = {
        name: _SHOWN.get(name, value)(question) for name, value in _FIXED.items()
    }
    tool = {name: value(question) for name, value in _TOOL.items()}
    made["tool"] = tool | {"name": _name(question), "shown_as": question.subject.name}
    arguments = question.circumstances.arguments
    if arguments is not None:
        made[_ARGUMENTS] = arguments
    return made


def encoded(question: Question) -> bytes:
    """The `input` for `question` as JSON, the same for all engines.

    Raises:
        ValueError, TypeError, RecursionError: its arguments are nothing that JSON can say.
    """
    return _encode(document(question))


def extractor(reads: Iterable[Path] | None) -> Callable[[Question], tuple[Hashable, ...]]:
    """What tells questions apart that differ at one of the paths `reads`; None: anywhere.

    Values differ also by their type (1 is not 1.0, nor true), and absence by how far there was
    something, and what. What is returned raises as `encoded` does.
    """
    getters = tuple(_getters({()} if reads is None else set(reads)))
    if len(getters) == 1:
        only = getters[0]
        return lambda question: (only(question),)
    return lambda question: tuple([getter(question) for getter in getters])


def _getters(reads: set[Path]) -> Iterator[Value]:
    for path in sorted(reads):
        if any(path[:length] in reads for length in range(len(path))):
            continue  # a prefix of it is compared as a whole
        yield from _values_at(path)


def _values_at(path: Path) -> Iterator[Value]:
    if not path:
        yield from _FIXED.values()
        yield from _TOOL.values()
        yield _argument(())
    elif path[0] == _ARGUMENTS:
        yield _argument(path[1:])
    elif path[0] in _FIXED:
        yield _FIXED[path[0]]
    elif path == ("tool",):
        yield from _TOOL.values()
    elif path[0] == "tool" and path[1] in _TOOL:
        yield _TOOL[path[1]]
    # All else is not in any input, and so is the same in all.


def _argument(path: Path) -> Value:
    """The value at `path` within the arguments, in a form that tells all JSON values apart."""

    def value(question: Question) -> Hashable:
        arguments = question.circumstances.arguments
        if arguments is None:
            return None
        found: object = cast("object", arguments)
        for depth, name in enumerate(path):
            if not isinstance(found, dict):
                return (depth, type(found))
            members = cast("dict[str, object]", found)
            if name not in members:
                return (depth, dict)
            found = members[name]
        return _brief(found if isinstance(found, str) else _encode(found))

    return value


def _brief(value: str | bytes) -> Hashable:
    """`value`, or its digest where it is long: what is compared may be kept for a while."""
    if len(value) <= _LONGEST_COMPARED:
        return value
    content = value.encode() if isinstance(value, str) else value
    return (type(value), hashlib.sha256(content).digest())
