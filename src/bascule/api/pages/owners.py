"""For whom links of this gateway are: who has one, and whether they must sign in first."""

from uuid import UUID

from bascule.api.consenting import Owned, signs_in_with
from bascule.api.control import Control
from bascule.gateway.principal import Evidence, Means, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.policy.elevation import Holder
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import Users


async def must_sign_in(control: Control, owned: Owned) -> bool:
    """Whether for whom a link was made has a way to prove who they are."""
    if control.sessions is None:
        return False
    if signs_in_with(owned, control.snapshot()):
        return True
    if not owned.owner.startswith("user|"):
        return False
    async with control.database.read() as session:
        tenant = await Tenants(session).get(owned.tenant)
        user = await Users(session, tenant.id).find_by_id(UUID(owned.owner[len("user|") :]))
    return user is not None and user.password_hash is not None


def bearer_of(tenant: str, holder: Holder, snapshot: Snapshot) -> Principal | None:
    """For whom something was made, with the rights they have now; None where they are gone."""
    view = snapshot.tenants.get(tenant)
    if view is None:
        return None
    if holder.key_id:
        keys = (one.principal for one in snapshot.keys.values() if one.key_id == holder.key_id)
        return next((one for one in keys if one.tenant == tenant), None)
    roles = frozenset[str]()
    if holder.user_id is not None:
        people = (one for one in view.people.values() if one.user_id == holder.user_id)
        person = next((one for one in people if one.is_active), None)
        if person is None:
            return None
        roles = person.roles
    permissions = frozenset[str]().union(*(view.roles.get(role, ()) for role in roles))
    return Principal(
        tenant,
        holder.subject,
        roles,
        permissions,
        user_id=holder.user_id,
        evidence=_evidence(tenant, holder),
    )


def _evidence(tenant: str, holder: Holder) -> Evidence | None:
    """What has `Principal.owner` be that of the holder; None where the rest does."""
    kind, _, rest = holder.owner.partition("|")
    if kind != "token":
        return None
    issuer, _, subject = rest.partition("|")
    return Evidence(Means.TOKEN, tenant, issuer, subject, holder.subject)
