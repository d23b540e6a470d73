"""References to secrets within the texts of an upstream's record.

`${NAME}` and `${NAME:default}` are variables of the gateway's environment, `${file:/path}` a file,
`${secret:NAME}` a secret of the tenant, `${vault:mount/path#field}` and `${aws:name#field}` one
that is kept elsewhere. `$${` stands for a literal `${`.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LONGEST_SHOWN: Final = 40


class Kind(StrEnum):
    """Where the value of a reference is."""

    ENVIRONMENT = "env"
    FILE = "file"
    STORED = "secret"
    VAULT = "vault"
    AWS = "aws"


class Reference(NamedTuple):
    """One reference. `field` is a member of what is kept under `name`; "" for the whole of it."""

    kind: Kind
    name: str
    field: str = ""
    default: str | None = None

    def __str__(self) -> str:
        """As it is written, a default left out: that may be a secret itself."""
        if self.kind is Kind.ENVIRONMENT:
            return f"${{{self.name}}}" if self.default is None else f"${{{self.name}:…}}"
        return f"${{{self.kind}:{self.name}{'#' + self.field if self.field else ''}}}"

    @property
    def label(self) -> str:
        """As logs and records may have it: `secret:` would be taken for the beginning of one."""
        return f"the secret {self.name}" if self.kind is Kind.STORED else str(self)

    @property
    def is_of_tenant(self) -> bool:
        """Whether a tenant may use it by its own right: all others are the installation's."""
        return self.kind is Kind.STORED


Part: TypeAlias = str | Reference


def parse(text: str) -> tuple[Part, ...]:
    """Split `text` into literal pieces and references.

    Raises:
        ValueError: a reference is malformed; says how to write it.
    """
    parts: list[Part] = []
    place = 0
    for found in _REFERENCE.finditer(text):
        if found.start() > place:
            parts.append(text[place : found.start()])
        parts.append("${" if found[0] == "$${" else _read(found[1]))
        place = found.end()
    if place < len(text):
        parts.append(text[place:])
    return tuple(parts)


def references_in(text: str) -> tuple[Reference, ...]:
    """The references of `text`. ValueError: one is malformed."""
    return tuple(part for part in parse(text) if isinstance(part, Reference))


def needs_resolving(text: str) -> bool:
    """Whether `text` is not to be taken as it stands."""
    return "${" in text


def shown(text: str) -> str:
    """`text` for people: its references, and nothing that is written beside them."""
    try:
        parts = parse(text)
    except ValueError:
        return "[hidden]"
    if not any(isinstance(part, Reference) for part in parts):
        return "[hidden]" if text else ""
    return "".join(str(part) if isinstance(part, Reference) else "…" for part in parts)


def _read(inner: str | None) -> Reference:
    if inner is None:
        raise ValueError("a reference has no closing brace; for a literal ${ write $${")
    prefix, colon, rest = inner.partition(":")
    if colon and prefix in _READERS:
        return _READERS[prefix](rest)
    if not _VARIABLE.fullmatch(prefix):
        raise ValueError(
            f"{_shown(inner)} is no reference; write ${{NAME}}, ${{secret:NAME}}, ${{file:PATH}}, "
            "${vault:mount/path#field} or ${aws:name#field}"
        )
    return Reference(Kind.ENVIRONMENT, prefix, default=rest if colon else None)


def _stored(rest: str) -> Reference:
    if not _SECRET.fullmatch(rest):
        raise ValueError(f"{_shown('secret:' + rest)} names no secret; write ${{secret:NAME}}")
    return Reference(Kind.STORED, rest)


def _file(rest: str) -> Reference:
    if not rest.startswith("/") or "\0" in rest:
        raise ValueError(f"{_shown('file:' + rest)} names no file by its whole path")
    return Reference(Kind.FILE, rest)


def _vault(rest: str) -> Reference:
    path, _, field = rest.partition("#")
    steps = path.split("/")
    if len(steps) < 2 or not field or not all(_is_step(one) for one in steps):
        raise ValueError(
            f"{_shown('vault:' + rest)} is no place in Vault; write ${{vault:mount/path#field}}"
        )
    return Reference(Kind.VAULT, path, field)


def _aws(rest: str) -> Reference:
    name, _, field = rest.partition("#")
    if not name or not name.isprintable() or len(name) > 2048:
        raise ValueError(
            f"{_shown('aws:' + rest)} names no secret; write ${{aws:name}} or ${{aws:name#field}}"
        )
    return Reference(Kind.AWS, name, field)


_READERS: Final = {
    Kind.FILE.value: _file,
    Kind.STORED.value: _stored,
    Kind.VAULT.value: _vault,
    Kind.AWS.value: _aws,
}


def _is_step(text: str) -> bool:
    """Whether `text` is a step of a path that stays where it seems to be."""
    return text not in {"", ".", ".."} and text.isprintable() and not set(text) & set("?#%\\ ")


def _shown(inner: str) -> str:
    """What is wrong, cut short: beyond a default may come a secret."""
    before = inner.partition(":")[0]
    head = inner if before in _READERS else before
    return "${" + head[:_LONGEST_SHOWN] + ("…" if len(head) < len(inner) else "") + "}"
