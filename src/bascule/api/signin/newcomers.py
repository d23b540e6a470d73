"""Accounts of people whom an issuer vouches for, made when they first come in."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.names import UserName
from bascule.api.signin.attempts import Attempts, turned_away
from bascule.api.signin.visits import Visit
from bascule.gateway.errors import Conflict
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Principal
from bascule.gateway.verdict import Refuse
from bascule.identity.claims import first_text
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import Identity, StoredUser, UserDraft, Users

_MOST_NAMES: Final = 100
_TOO_MANY: Final = "Too many people came in for the first time just now."
_names: TypeAdapter[str] = TypeAdapter(UserName)


class Newcomers:
    """Finds the account of a subject, or makes one. No other account is ever taken for it,
    whatever names and addresses are claimed: an issuer's word is good for its own subjects."""

    def __init__(self, control: Control, attempts: Attempts) -> None:
        self._control = control
        self._attempts = attempts

    async def known(
        self, visit: Visit, issuer: Issuer, evidence: Evidence, claims: Mapping[str, object]
    ) -> StoredUser | Refuse:
        """The account of `evidence`, in its tenant; refused where too many were made just now.

        Raises:
            StateUnavailable, StorageError, RecordingFailed: nothing was made.
        """
        identity = Identity(issuer.issuer, evidence.subject)
        async with self._control.database.read() as session:
            tenant_id = (await Tenants(session).get(evidence.tenant)).id
            users = Users(session, tenant_id)
            found = await users.find_by_identity(identity.issuer, identity.subject)
        if found is not None:
            return found
        slates = self._attempts.newcomer_slates(evidence.tenant, issuer.issuer, visit.peer)
        seconds = await self._attempts.admit(slates)
        if seconds is not None:
            return turned_away(_TOO_MANY, seconds)
        # Records name strangers by an issuer and a colon: nobody chooses to be called like one.
        draft = UserDraft(
            name_from(evidence.display.replace(":", "-") or evidence.label),
            display_name=(first_text(claims, ("name",)) or "")[:200],
            email=first_text(claims, ("email",)) or "",
        )
        caller = Caller(Principal(evidence.tenant, issuer.name, frozenset()), visit.correlation_id)
        details = {"issuer": identity.issuer, "subject": identity.subject}
        async with self._control.change(caller, "user.create", draft.name, details) as rows:
            users = Users(rows.session, rows.tenant_id)
            again = await users.find_by_identity(identity.issuer, identity.subject)
            made = again or await _create(users, draft)
            await users.link(made.id, identity)
        return made


def name_from(claimed: str) -> str:
    """What an issuer calls somebody, as a name here."""
    name = claimed.replace("|", "-").replace("/", "-").strip()[:200].strip()
    try:
        return _names.validate_python(name)
    except ValidationError:
        return f"user-{secrets.token_hex(8)}"


async def _create(users: Users, draft: UserDraft) -> StoredUser:
    """Add a person, under a name with a number after it where the name is somebody else's."""
    for number in range(1, _MOST_NAMES):
        name = draft.name if number == 1 else f"{draft.name[:190]}-{number}"
        try:
            return await users.create(replace(draft, name=name))
        except Conflict:
            continue
    return await users.create(replace(draft, name=f"{draft.name[:180]}-{secrets.token_hex(8)}"))
