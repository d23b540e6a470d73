"""What an issuer's record must fulfil before any token is judged by it."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final, NoReturn

import msgspec

from bascule.api.references import require_reference
from bascule.api.resources.issuers.schemas import IssuerWrite
from bascule.gateway.errors import InvalidValue
from bascule.gateway.issuer import Issuer
from bascule.gateway.permissions import PERMISSIONS
from bascule.identity.fetching import objection_to
from bascule.identity.jwks import ALGORITHMS, SHARED_SECRET
from bascule.identity.presets import fields_of, objection
from bascule.storage.suggestion import did_you_mean

_NOT_OF_RECORD: Final = frozenset({"preset", "namespace", "is_active", "algorithms", "tenant"})


def issuer_of(wanted: IssuerWrite, tenant: str) -> Issuer:
    """The record that `wanted` means, with what its preset adds; `tenant` is its own.

    Raises:
        InvalidValue: a field cannot be, or two contradict each other; names it, and says why.
    """
    wrong = objection(wanted.preset, wanted.issuer)
    if wrong is not None:
        _refuse("issuer", wrong)
    given = wanted.model_dump(mode="json", exclude=set(_NOT_OF_RECORD), exclude_none=True)
    preset = fields_of(wanted.preset, wanted.issuer, wanted.audiences, wanted.namespace)
    members: dict[str, Any] = {**preset, **given, "tenant": tenant}
    members["algorithms"] = _algorithms(wanted)
    _check_key_source(wanted)
    _check_tenant_claim(wanted)
    _check_sign_in(wanted)
    held = (one for permissions in wanted.scopes.values() for one in permissions)
    _check_names("scopes", "permission", held, PERMISSIONS)
    return msgspec.convert(members, Issuer)


def check_roles(issuer: Issuer, roles: Mapping[str, frozenset[str]]) -> None:
    """See that what the issuer brings exists: `roles` are the names of roles by tenant.

    Raises:
        InvalidValue: a tenant or role is not there; names it, and what it may be.
    """
    for tenant in issuer.tenants.values():
        _check_names("tenants", "tenant", (tenant,), roles)
    known = frozenset[str]().union(*roles.values())
    _check_names("default_roles", "role", issuer.default_roles, known)
    mapped = (role for brought in issuer.role_map.values() for role in brought)
    _check_names("role_map", "role", mapped, known)


def tenants_of(issuer: Issuer) -> frozenset[str]:
    """Every tenant that a bearer of its tokens may belong to."""
    return frozenset({issuer.tenant, *issuer.tenants.values()})


def shown_fields(issuer: Issuer) -> dict[str, Any]:
    """Its members by name. Secrets in it are references, so nothing is left out."""
    return {one.name: getattr(issuer, one.name) for one in fields(issuer)}


def _algorithms(wanted: IssuerWrite) -> list[str]:
    """As given; where a shared secret is, and nothing was given, no other signature counts."""
    if wanted.algorithms is None:
        return [] if wanted.shared_secret else ["RS256", "ES256"]
    if SHARED_SECRET in wanted.algorithms and not wanted.shared_secret:
        _refuse("algorithms", "HS256 needs a shared_secret, and counts in development only.")
    listed = [one for one in wanted.algorithms if one != SHARED_SECRET]
    _check_names("algorithms", "algorithm", listed, ALGORITHMS)
    return listed


def _check_key_source(wanted: IssuerWrite) -> None:
    wrong = objection_to(wanted.jwks_url) if wanted.jwks_url else None
    if wrong is not None:
        _refuse("jwks_url", f"It cannot be asked: {wrong}.")
    require_reference("shared_secret", wanted.shared_secret)


def _check_tenant_claim(wanted: IssuerWrite) -> None:
    if bool(wanted.tenant_claim) != bool(wanted.tenants):
        _refuse(
            "tenant_claim",
            "tenant_claim names the claim, and tenants what its values stand for: give both, or "
            "neither. A value that is not named is refused.",
        )


def _check_sign_in(wanted: IssuerWrite) -> None:
    require_reference("client_secret", wanted.client_secret)
    if wanted.client_secret and not wanted.client_id:
        _refuse("client_secret", "A client secret needs the client_id it belongs to.")


def _check_names(field: str, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    there = sorted(known)
    for name in names:
        if name not in there:
            guess = did_you_mean(name, there) or f" There are {', '.join(there)}."
            _refuse(field, f"There is no {kind} {name[:100]}.{guess}")


def _refuse(field: str, sentence: str) -> NoReturn:
    raise InvalidValue(f"{field}: {sentence}", details={"field": field})
