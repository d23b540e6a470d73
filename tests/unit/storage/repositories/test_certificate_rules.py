"""Rules about certificates are kept by name, and reach the snapshot."""

from dataclasses import replace

import pytest

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.issuer import CertificateRule
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.repositories.certificate_rules import CertificateRules
from bascule.storage.repositories.scope import TenantId

_RULE = CertificateRule(
    "agents", "default", "URI:spiffe://example.org/*", ("user",), "CN=Agents CA,O=Example"
)


async def test_a_rule_is_in_force_until_it_is_removed(database: Database, tenant: TenantId) -> None:
    async with database.change(author="ann") as session:
        rules = CertificateRules(session, tenant)
        assert await rules.find("agents") is None
        made = await rules.put(_RULE)
        assert await rules.find("agents") == made
    assert (made.pattern, made.issuer, made.roles) == (_RULE.pattern, _RULE.issuer, ("user",))
    async with database.change(author="bo") as session:
        changed = await CertificateRules(session, tenant).put(replace(_RULE, issuer=""))
    assert (changed.issuer, changed.updated_by) == ("", "bo")
    async with database.read() as session:
        assert await CertificateRules(session, tenant).list() == (changed,)
        in_force = (await compile_snapshot(session)).certificate_rules
    assert in_force == (replace(_RULE, issuer=""),)
    async with database.change(author="t") as session:
        assert await CertificateRules(session, tenant).delete("agents") == changed
        assert await CertificateRules(session, tenant).list() == ()


async def test_what_makes_no_sense_is_refused(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        rules = CertificateRules(session, tenant)
        await rules.put(_RULE)
        with pytest.raises(InvalidValue, match="Unknown roles: boss"):
            await rules.put(replace(_RULE, roles=("boss",)))
        with pytest.raises(InvalidValue, match="needs a role"):
            await rules.put(replace(_RULE, roles=()))
        with pytest.raises(NotFound, match="Did you mean agents"):
            await rules.delete("agent")
