"""`/api/admin/certificate-rules`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, SystemAdmin
from bascule.api.names import Name
from bascule.api.resources.certificate_rules import service
from bascule.api.resources.certificate_rules.schemas import (
    CertificateRule,
    CertificateRuleList,
    CertificateRulePut,
    CertificateRuleRemoved,
)

router = APIRouter(prefix="/api/admin/certificate-rules", tags=["certificate rules"])


@router.get("")
async def list_certificate_rules(control: ControlPlane, caller: SystemAdmin) -> CertificateRuleList:
    """List the rules whose certificates belong to the tenant."""
    rules = await service.list_rules(control, caller)
    return CertificateRuleList(certificate_rules=rules, total=len(rules))


@router.put("/{name:path}")
async def put_certificate_rule(
    control: ControlPlane, caller: SystemAdmin, name: Name, wanted: CertificateRulePut
) -> CertificateRule:
    """Make a rule, or replace the one of that name. Of several that fit, the first by name."""
    return await service.put_rule(control, caller, name, wanted)


@router.delete("/{name:path}")
async def delete_certificate_rule(
    control: ControlPlane, caller: SystemAdmin, name: str
) -> CertificateRuleRemoved:
    """Remove a rule; its certificates are not known any more."""
    await service.delete_rule(control, caller, name)
    return CertificateRuleRemoved(removed=name)
