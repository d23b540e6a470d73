"""Names that operators give to things."""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from bascule.gateway.likeness import closest
from bascule.gateway.permissions import PERMISSIONS

_BUNDLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TOOL: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,17})"
_PART: Final = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _bundle_name(name: str) -> str:
    if _BUNDLE.fullmatch(name) is None:
        raise PydanticCustomError(
            "bundle_name",
            "A bundle is named with up to 100 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit",
        )
    return name


def _printable(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise PydanticCustomError(
            "name", "A name holds no control characters, and no space at its ends"
        )
    if name in {".", ".."}:  # in a URL they mean a place, not a thing (RFC 3986, 5.2.4)
        raise PydanticCustomError("name", "A name is more than dots")
    return name


BundleName = Annotated[
    str, AfterValidator(_bundle_name), Field(json_schema_extra={"pattern": f"^{_BUNDLE.pattern}$"})
]
"""The name of a bundle, which is part of a URL: `/mcp/bundles/{name}`."""

Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
"""Any other name: one line, in any script."""


def _tool_name(name: str) -> str:
    # In a URL, which names tools too, dots alone mean a place (RFC 3986, 5.2.4).
    if _TOOL.fullmatch(name) is None or name in {".", ".."}:
        raise PydanticCustomError(
            "tool_name",
            "A tool is named with up to 100 letters, digits, dots, dashes and underscores",
        )
    return name


def _version(version: str) -> str:
    if len(version) > 50 or _VERSION.fullmatch(version) is None:
        raise PydanticCustomError(
            "version", "A version has three numbers, as in 1.4.0 or 2.0.0-rc.1 (semver.org)"
        )
    return version


ToolName = Annotated[str, AfterValidator(_tool_name)]
"""The name of a tool (specification 2026-07-28, server/tools "Tool Names", but shorter)."""

Version = Annotated[str, AfterValidator(_version)]
"""A semantic version: https://semver.org/#is-there-a-suggested-regular-expression-regex"""


def _distinct(tags: list[str]) -> list[str]:
    for tag in tags:
        if not tag.strip() or not tag.isprintable() or tag != tag.strip():
            raise PydanticCustomError(
                "tag", "A tag is a printable text without spaces at its ends, and not empty"
            )
    return list(dict.fromkeys(tags))


Tags = Annotated[
    list[Annotated[str, Field(max_length=50)]], Field(max_length=50), AfterValidator(_distinct)
]
"""Words to find tools by; each once."""


def _person(name: str) -> str:
    if not _is_lasting(name) or "/" in name:
        raise PydanticCustomError(
            "user_name",
            "A user is named with printable characters, without spaces at the ends, | or /",
        )
    return name


def _caller(name: str) -> str:
    if not _is_lasting(name):
        raise PydanticCustomError(
            "caller_name", "A name holds no control characters, no |, and no space at its ends"
        )
    return name


def _is_lasting(name: str) -> bool:
    """Whether a caller's name is one line that reads as it is stored.

    Characters that turn the direction of writing are not printable. `|` separates the parts of
    what belongs to callers (`Principal.owner`).
    """
    return (
        name.isprintable()
        and name == name.strip()
        and "|" not in name
        and name not in {".", ".."}
        and unicodedata.is_normalized("NFC", name)
    )


def _role(name: str) -> str:
    if _ROLE.fullmatch(name) is None:
        raise PydanticCustomError(
            "role_name",
            "A role is named with up to 50 letters, digits, dots, dashes and underscores, "
            "beginning with a letter or digit",
        )
    return name


def _tenant(name: str) -> str:
    if _TENANT.fullmatch(name) is None:
        raise PydanticCustomError(
            "tenant_name",
            "A tenant is named with up to 63 small letters, digits and dashes, "
            "with a letter or digit at both ends",
        )
    return name


def _host(name: str) -> str:
    folded = name.lower().removesuffix(".")
    labels = folded.split(".")
    if len(folded) > 253 or any(_LABEL.fullmatch(one) is None for one in labels):
        raise PydanticCustomError("host", "A host is a DNS name, without a port: api.example.com")
    if labels[-1].isdigit():
        raise PydanticCustomError("host", "A host is a name, and no address")
    return folded


_ROLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_TENANT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

UserName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_person)]
"""The name of a user, which is part of a URL and stands beside what they do in every record."""

KeyName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_caller)]
"""The name of an API key, which stands in records as a user's does."""

GroupName = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_caller)]
"""The name of a group, as an issuer claims it; some begin with a slash."""

RoleName = Annotated[
    str, AfterValidator(_role), Field(json_schema_extra={"pattern": f"^{_ROLE.pattern}$"})
]
"""The name of a role, which policies and issuers refer to."""

TenantName = Annotated[
    str, AfterValidator(_tenant), Field(json_schema_extra={"pattern": f"^{_TENANT.pattern}$"})
]
"""The name of a tenant, which headers, labels of metrics and keys of caches hold."""

HostName = Annotated[str, Field(min_length=1, max_length=254), AfterValidator(_host)]
"""The name of a host, in lower case whatever was written."""


def _each_once(roles: list[str]) -> list[str]:
    return list(dict.fromkeys(roles))


RoleNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=50)]],
    Field(max_length=20),
    AfterValidator(_each_once),
]
"""Names of roles that should exist; each once."""


def _known_permission(permission: str) -> str:
    if permission not in PERMISSIONS:
        guess = closest(permission, PERMISSIONS)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(PERMISSIONS)}"
        raise PydanticCustomError(
            "permission",
            "There is no permission {name}; {hint}",
            {"name": permission[:100], "hint": hint},
        )
    return permission


Permissions = Annotated[
    list[Annotated[str, AfterValidator(_known_permission)]],
    Field(max_length=len(PERMISSIONS)),
    AfterValidator(_each_once),
]
"""Permissions there are; each once."""


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise PydanticCustomError(
            "line", "This holds no control characters, and no space at its ends"
        )
    return text


def _email(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if address and (not at or not local or not domain or " " in address):
        raise PydanticCustomError("email", "An e-mail address has a name, an @ and a domain")
    return address


DisplayName = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
"""How people call somebody; may be empty."""

EmailAddress = Annotated[
    str, Field(max_length=320), AfterValidator(_one_line), AfterValidator(_email)
]
"""An e-mail address, or nothing; whether it is somebody's is not known."""
