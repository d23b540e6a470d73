"""The first administrator: made by who has the one-time link that `bascule up` prints.

There is no default password. The link holds 256 random bits, of which the digest is kept for an
hour in the state store; it works once, and only while nobody administers this installation.
"""

import hashlib
import secrets
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.names import UserName
from bascule.api.signin.cookies import Ticket, new_ticket
from bascule.api.signin.desk import Desk, invalid
from bascule.api.signin.entries import Vouched
from bascule.api.signin.visits import Event, Visit, write_down
from bascule.gateway.errors import Conflict, ErrorCode, GatewayError
from bascule.gateway.principal import Principal
from bascule.gateway.state import StateStore
from bascule.gateway.verdict import Refuse
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import StoredUser, UserDraft, Users
from bascule.storage.seed import DEFAULT_TENANT, SYSTEM_ADMIN

LINK_SECONDS: Final = 3600.0
_ROLES: Final = frozenset({"admin", SYSTEM_ADMIN})
_MIGHTY: Final = frozenset({"users:manage", SYSTEM_ADMIN})
_PAGE: Final = 100
_names: TypeAdapter[str] = TypeAdapter(UserName)


class SetupLinks:
    """Gives out links, and makes of one the first administrator."""

    def __init__(self, desk: Desk, state: StateStore) -> None:
        self._desk = desk
        self._control: Control = desk.entries.control
        self._state = state

    async def issue(self) -> str | None:
        """The path of a new link; None where there is an administrator, or nobody has passwords.

        Raises:
            StateUnavailable, StorageError: it could not be found out, or kept.
        """
        if not self._desk.rules.local_accounts or await self._has_administrator():
            return None
        token = secrets.token_urlsafe(32)
        await self._state.put(_key(token), b"1", LINK_SECONDS)
        return f"/setup/{token}"

    async def is_open(self, token: str) -> bool:
        """Whether `token` would make an administrator now."""
        known = await self._state.get(_key(token)) is not None
        return known and not await self._has_administrator()

    async def use(self, visit: Visit, token: str, name: str, password: str) -> Ticket | Refuse:
        """Make the first administrator, and sign them in. What is refused leaves the link as it is.

        Raises:
            StateUnavailable, StorageError, TooManyPasswords, RecordingFailed: nothing was made.
        """
        if not await self.is_open(token):
            return LINK_OVER
        wrong = self._objection(name, password)
        if wrong is not None:
            return wrong
        kept = await self._desk.passwords.hash(password)
        if await self._state.take(_key(token)) is None:
            return LINK_OVER
        try:
            return await self._make(visit, UserDraft(name, roles=_ROLES, password_hash=kept))
        except _AdministratorThere:
            return LINK_OVER
        except GatewayError as failure:
            # Nothing was made, so the link has not done its work.
            await self._state.put(_key(token), b"1", LINK_SECONDS)
            if isinstance(failure, Conflict):
                return invalid("name", failure.public)
            raise

    def _objection(self, name: str, password: str) -> Refuse | None:
        try:
            _names.validate_python(name)
        except ValidationError as error:
            return invalid("name", f"{error.errors()[0]['msg']}.")
        return self._desk.objection(password, name)

    async def _make(self, visit: Visit, draft: UserDraft) -> Ticket:
        caller = Caller(_LINK, visit.correlation_id)
        ticket = new_ticket(DEFAULT_TENANT)
        details = {"roles": sorted(draft.roles)}
        async with self._control.change(caller, "user.create", draft.name, details) as rows:
            if await _administrator_in(rows) is not None:
                raise _AdministratorThere("There is an administrator already.")
            user = await Users(rows.session, rows.tenant_id).create(draft)
            by = Vouched(by="setup link")
            await self._desk.entries.keep(rows, visit, ticket, user.id, by)
            event = Event("sign_in", DEFAULT_TENANT, user.name)
            await write_down(self._control, visit, event, by=by.by)
        return ticket

    async def _has_administrator(self) -> bool:
        async with self._control.database.read() as session:
            tenant = await Tenants(session).get(DEFAULT_TENANT)
            return await _administrator_in(Rows(session, tenant.id)) is not None


class _AdministratorThere(GatewayError):
    """Somebody else was quicker."""

    error = ErrorCode.CONFLICT


async def _administrator_in(rows: Rows) -> StoredUser | None:
    """An active account that may manage people, and that somebody can sign in to."""
    roles = await Roles(rows.session, rows.tenant_id).list()
    mighty = {role.name for role in roles if role.permissions & _MIGHTY}
    users, page = Users(rows.session, rows.tenant_id), 1
    while True:
        found = await users.list(is_active=True, page=page, limit=_PAGE)
        for user in found.items:
            if user.roles & mighty and (user.password_hash or user.identities):
                return user
        if page * _PAGE >= found.total:
            return None
        page += 1


def _key(token: str) -> str:
    return f"setup:{hashlib.sha256(token.encode(errors='replace')).hexdigest()}"


_LINK: Final = Principal(DEFAULT_TENANT, "setup link", frozenset())
LINK_OVER: Final = Refuse(
    ErrorCode.NOT_FOUND,
    public="This link is not valid, or not any more: it works once, for an hour, and only while "
    "there is no administrator. `bascule up` prints a new one when it starts.",
    private="no such setup link, or there is an administrator",
)
