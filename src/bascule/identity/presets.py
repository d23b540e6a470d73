"""How the tokens of well-known products are made, so that an issuer's record need not say it.

Sources: learn.microsoft.com/entra/identity-platform/access-token-claims-reference;
docs.aws.amazon.com/cognito, "Understanding the access token"; auth0.com/docs/secure/tokens,
"Access token profiles"; keycloak.org, "Server Administration Guide", protocol mappers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from bascule.identity.fetching import objection_to

Fields: TypeAlias = Mapping[str, object]
"""Members of `bascule.gateway.issuer.Issuer`, by name."""

_GUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_ENTRA_2: Final = re.compile(rf"https://[^/]+/({_GUID})/v2\.0")
_ENTRA_1: Final = re.compile(rf"https://sts\.[^/]+/({_GUID})/")
_ENTRA_NAMES: Final = ("preferred_username", "upn", "unique_name", "email", "name")


class Preset(StrEnum):
    """A product."""

    ENTRA = "entra"
    COGNITO = "cognito"
    AUTH0 = "auth0"
    KEYCLOAK = "keycloak"
    GENERIC = "generic"


def fields_of(
    preset: Preset, issuer: str, audiences: Sequence[str] = (), namespace: str = ""
) -> Fields:
    """What differs from the defaults of an issuer's record.

    `audiences` are those of the record; `namespace` is before the names of an Auth0 tenant's own
    claims, such as `https://example.com/`.
    """
    return _FIELDS[preset](issuer, audiences, namespace)


def objection(preset: Preset, issuer: str) -> str | None:
    """What is wrong with the `iss` of such a product, and what to write; None for nothing."""
    wrong = objection_to(issuer)
    if wrong is not None:
        return f"The issuer cannot be asked: {wrong}."
    if urlsplit(issuer).query:
        return "An issuer has no query (RFC 8414, section 2)."
    before, found, _ = issuer.partition("/.well-known/")
    if found:
        return f"That is its document, not the issuer: write {before}, or what `issuer` says in it."
    check = _OBJECTIONS.get(preset)
    return None if check is None else check(issuer)


def _entra(issuer: str, _audiences: Sequence[str], _namespace: str) -> Fields:
    second, first = _ENTRA_2.fullmatch(issuer), _ENTRA_1.fullmatch(issuer)
    found = second or first
    # ID tokens have the same audience where one application is both; only access tokens say who
    # asked for them.
    required: dict[str, tuple[str, ...]] = {"appid" if first else "azp": ()}
    if found is not None:
        required["tid"] = (found[1],)
    return {
        "subject_claim": "oid",
        "name_claims": _ENTRA_NAMES,
        "agent_claims": ("act.sub", "azp", "appid"),
        "roles_claims": ("roles",),
        "groups_claims": ("groups",),
        "scope_claims": ("scp",),
        "required_claims": required,
    }


def _cognito(_issuer: str, _audiences: Sequence[str], _namespace: str) -> Fields:
    return {
        "audience_claims": ("aud", "client_id"),
        "name_claims": ("username",),
        "agent_claims": ("client_id",),
        "roles_claims": ("cognito:groups",),
        "groups_claims": ("cognito:groups",),
        "scope_claims": ("scope",),
        "required_claims": {"token_use": ("access",)},
    }


def _auth0(_issuer: str, _audiences: Sequence[str], namespace: str) -> Fields:
    own = namespace.rstrip("/") + "/" if namespace else ""
    return {
        "name_claims": (f"{own}email", f"{own}name", "email", "name") if own else ("email", "name"),
        "agent_claims": ("act.sub", "azp", "client_id"),
        "roles_claims": ("permissions", f"{own}roles") if own else ("permissions",),
        "groups_claims": (f"{own}groups",) if own else (),
        "scope_claims": ("scope",),
    }


def _keycloak(_issuer: str, audiences: Sequence[str], _namespace: str) -> Fields:
    clients = [one for one in audiences if "://" not in one]
    return {
        "agent_claims": ("act.sub", "azp", "client_id"),
        "roles_claims": (
            "realm_access.roles",
            *(f"resource_access.{one}.roles" for one in clients),
        ),
        "groups_claims": ("groups",),
        "scope_claims": ("scope",),
        "required_claims": {"typ": ("Bearer",)},
    }


def _generic(_issuer: str, _audiences: Sequence[str], _namespace: str) -> Fields:
    return {"roles_claims": ("roles",), "groups_claims": ("groups",)}


_FIELDS: Final[Mapping[Preset, Callable[[str, Sequence[str], str], Fields]]] = {
    Preset.ENTRA: _entra,
    Preset.COGNITO: _cognito,
    Preset.AUTH0: _auth0,
    Preset.KEYCLOAK: _keycloak,
    Preset.GENERIC: _generic,
}


def _entra_objection(issuer: str) -> str | None:
    if _ENTRA_2.fullmatch(issuer) or _ENTRA_1.fullmatch(issuer):
        return None
    return (
        "Entra ID writes its issuer as https://login.microsoftonline.com/TENANT-ID/v2.0 (tokens of "
        "version 2) or https://sts.windows.net/TENANT-ID/ (version 1), with the GUID of your "
        "directory, never common or organizations."
    )


def _cognito_objection(issuer: str) -> str | None:
    host = urlsplit(issuer).hostname or ""
    if host.endswith("amazoncognito.com"):
        return (
            "That is the sign-in domain. Cognito writes its issuer as "
            "https://cognito-idp.REGION.amazonaws.com/POOL-ID."
        )
    return None


def _auth0_objection(issuer: str) -> str | None:
    if issuer.endswith("/"):
        return None
    return f"Auth0 writes its issuer with a slash at the end: {issuer}/"


def _keycloak_objection(issuer: str) -> str | None:
    if re.search(r"/realms/[^/]+$", issuer):
        return None
    return "Keycloak writes its issuer as https://HOST/realms/REALM, without a slash at the end."


_OBJECTIONS: Final[Mapping[Preset, Callable[[str], str | None]]] = {
    Preset.ENTRA: _entra_objection,
    Preset.COGNITO: _cognito_objection,
    Preset.AUTH0: _auth0_objection,
    Preset.KEYCLOAK: _keycloak_objection,
}
