"""Which client certificates are known, and as whom."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.resources.certificate_rules.schemas import CertificateRule, CertificateRulePut
from bascule.gateway.issuer import CertificateRule as Rule
from bascule.storage.repositories.certificate_rules import (
    CertificateRules,
    StoredCertificateRule,
)


async def list_rules(control: Control, caller: Caller) -> list[CertificateRule]:
    """Every rule of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(rule) for rule in await _rules(rows).list()]


async def put_rule(
    control: Control, caller: Caller, name: str, wanted: CertificateRulePut
) -> CertificateRule:
    """Make a rule, or replace the one of that name at once.

    Raises:
        InvalidValue: a role does not exist, or none is named.
    """
    rule = Rule(name, caller.tenant, wanted.pattern, tuple(wanted.roles), wanted.issuer)
    details: dict[str, object] = {}
    async with control.change(caller, "certificate_rule.put", name, details) as rows:
        before = await _rules(rows).find(name)
        after = await _rules(rows).put(rule)
        details.update(before=before and _told(before), after=_told(after))
    return _shown(after)


async def delete_rule(control: Control, caller: Caller, name: str) -> None:
    """Remove a rule: the certificates it was about are not known any more.

    Raises:
        NotFound: there is none of that name.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "certificate_rule.delete", name, details) as rows:
        details["before"] = _told(await _rules(rows).delete(name))


def _rules(rows: Rows) -> CertificateRules:
    return CertificateRules(rows.session, rows.tenant_id)


def _told(rule: StoredCertificateRule) -> dict[str, object]:
    return {"pattern": rule.pattern, "issuer": rule.issuer, "roles": list(rule.roles)}


def _shown(stored: StoredCertificateRule) -> CertificateRule:
    return CertificateRule(
        name=stored.name,
        pattern=stored.pattern,
        issuer=stored.issuer,
        roles=list(stored.roles),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )
