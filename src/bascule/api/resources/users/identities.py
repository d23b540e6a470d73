"""How issuers call people: shown, linked, moved from one person to another, and unlinked."""

from contextlib import AsyncExitStack
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.users.schemas import (
    IdentityLink,
    IdentityList,
    IdentityUnlinked,
    LinkedIdentity,
)
from bascule.api.resources.users.service import changing
from bascule.api.signin.browsers import leads_to
from bascule.gateway.errors import InvalidValue
from bascule.storage.repositories import users as stored
from bascule.storage.repositories.users import Identity, Users
from bascule.storage.suggestion import did_you_mean

_MOST_NAMED: Final = 10


async def list_identities(control: Control, caller: Caller, name: str) -> IdentityList:
    """How issuers call one person.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        users = Users(rows.session, rows.tenant_id)
        found = await users.identities((await users.get(name)).id)
    believed = _believed(control, caller)
    identities = [_shown(one, believed) for one in found]
    return IdentityList(user=name, identities=identities, total=len(identities))


async def link_identity(
    control: Control, caller: Caller, name: str, wanted: IdentityLink
) -> LinkedIdentity:
    """Let whom an issuer calls so come in as this person; a second time changes nothing.

    Who has the identity before and is named in `from_user` is signed out everywhere.

    Raises:
        NotFound: there is none of that name, or the identity is not `from_user`'s.
        Forbidden: one of them can do what the caller may not.
        InvalidValue: nobody of this tenant comes in by that issuer.
        Conflict: the identity is another user's, or nobody would be left to administer.
    """
    believed = _believed(control, caller)
    _check_issuer(wanted.issuer, believed)
    identity = Identity(wanted.issuer, wanted.subject)
    details: dict[str, object] = {"issuer": identity.issuer, "subject": identity.subject}
    if wanted.from_user is not None:
        details["from_user"] = wanted.from_user
    async with control.change(caller, "user.identity.link", name, details) as rows:
        users = Users(rows.session, rows.tenant_id)
        # Who administers is looked at before and after both steps, not in between.
        async with AsyncExitStack() as stack:
            user = await stack.enter_async_context(changing(rows, caller, name))
            if wanted.from_user is not None and wanted.from_user != name:
                other = await stack.enter_async_context(changing(rows, caller, wanted.from_user))
                await users.unlink(other.id, identity)
            await users.link(user.id, identity)
        linked = await users.identities(user.id)
    (found,) = (one for one in linked if one.identity == identity)
    return _shown(found, believed)


async def unlink_identity(
    control: Control, caller: Caller, name: str, identity: Identity
) -> IdentityUnlinked:
    """Let nobody come in as this person by that identity any more; signs the person out.

    Raises:
        NotFound: there is none of that name, or the issuer does not call them so.
        Forbidden: they can do what the caller may not.
        Conflict: nobody would be left to administer, or it is the caller's own way in.
    """
    details: dict[str, object] = {"issuer": identity.issuer, "subject": identity.subject}
    async with (
        control.change(caller, "user.identity.unlink", name, details) as rows,
        changing(rows, caller, name) as user,
    ):
        await Users(rows.session, rows.tenant_id).unlink(user.id, identity)
    return IdentityUnlinked(user=name, issuer=identity.issuer, subject=identity.subject)


def _believed(control: Control, caller: Caller) -> dict[str, str]:
    """The active issuers whose people may belong to the caller's tenant, and their names."""
    issuers = control.snapshot().issuers.values()
    return {one.issuer: one.name for one in issuers if leads_to(one, caller.tenant)}


def _check_issuer(issuer: str, believed: dict[str, str]) -> None:
    """Refuse an identity by which nobody could come in: most often the issuer is mistyped."""
    if issuer in believed:
        return
    listed = ", ".join(sorted(believed)[:_MOST_NAMED])
    hint = did_you_mean(issuer, believed) or (
        f" There are {listed}." if listed else " There is none yet: add one with `issuers add`."
    )
    raise InvalidValue(
        f"issuer: No active issuer of this tenant is {issuer[:200]}.{hint}",
        details={"field": "issuer"},
    )


def _shown(linked: stored.LinkedIdentity, believed: dict[str, str]) -> LinkedIdentity:
    identity = linked.identity
    return LinkedIdentity(
        issuer=identity.issuer,
        subject=identity.subject,
        issuer_name=believed.get(identity.issuer),
        linked_at=linked.linked_at,
    )
