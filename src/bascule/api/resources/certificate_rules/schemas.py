"""Rules about client certificates as the REST API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body
from bascule.api.names import RoleNames

_KINDS = ("URI", "DNS", "EMAIL", "IP", "SUBJECT", "SHA256")


def _pattern(text: str) -> str:
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS or not rest.strip("*?"):
        kinds = ", ".join(f"{one}:" for one in _KINDS)
        raise PydanticCustomError(
            "pattern",
            "A pattern begins with one of {kinds} and says more than *, as in "
            "URI:spiffe://example.org/agents/*",
            {"kinds": kinds},
        )
    if not text.isprintable():
        raise PydanticCustomError("pattern", "A pattern holds no control characters")
    return text


class CertificateRulePut(Body):
    """Which certificates are known: `pattern` is held against each of their names.

    A name has its kind before it: `URI:spiffe://example.org/agents/*`, `DNS:*.agents.example.org`,
    `SUBJECT:CN=agent,O=Example`, `SHA256:` and the digest in hex. `issuer` must be the
    certificate's own, in the form of RFC 4514, where it is set.
    """

    pattern: Annotated[str, Field(max_length=1000), AfterValidator(_pattern)]
    issuer: Annotated[str, Field(max_length=1000)] = ""
    roles: RoleNames


class CertificateRule(BaseModel):
    """A rule in force in this tenant."""

    name: str
    pattern: str
    issuer: str
    roles: list[str]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class CertificateRuleList(BaseModel):
    """Every rule of the tenant. Over all tenants, the first by name that fits decides."""

    certificate_rules: list[CertificateRule]
    total: int


class CertificateRuleRemoved(BaseModel):
    """The rule that is gone."""

    removed: str
