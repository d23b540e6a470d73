"""The desk where passwords are shown: to sign in, and to get another one."""

import time
from dataclasses import dataclass
from typing import Final

from bascule.api.caller import Caller
from bascule.api.signin.attempts import Attempts, Slate, turned_away
from bascule.api.signin.browsers import Visitor
from bascule.api.signin.cookies import Ticket
from bascule.api.signin.entries import Entries, Vouched
from bascule.api.signin.visits import Event, Visit, write_down
from bascule.gateway.errors import ErrorCode
from bascule.gateway.record import Status
from bascule.gateway.trickle import Trickle
from bascule.gateway.verdict import Refuse
from bascule.identity.passwords import LEAST_CHARACTERS, Match, Passwords, weakness
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import StoredUser, Users

_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """Whether there are passwords at all, and how short one may be."""

    local_accounts: bool = True
    least_characters: int = LEAST_CHARACTERS


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name, and what is claimed to be its password."""

    tenant: str
    name: str
    password: str


class Desk:
    """Knows people by their passwords. Its answers are the same for accounts that are not there."""

    def __init__(
        self, entries: Entries, passwords: Passwords, attempts: Attempts, rules: PasswordRules
    ) -> None:
        self.entries = entries
        self.passwords = passwords
        self.rules = rules
        self._attempts = attempts
        self._strangers = Trickle()

    async def sign_in(
        self, visit: Visit, given: Credentials, old: Ticket | None = None
    ) -> Ticket | Refuse:
        """A cookie for who knows the password, in the place of `old`.

        Raises:
            StateUnavailable, StorageError, TooManyPasswords, RecordingFailed: nobody is signed in.
        """
        if not self.rules.local_accounts:
            return _NO_PASSWORDS
        slates = await self._admit(visit, given)
        if isinstance(slates, Refuse):
            return slates
        user = await self._find(given)
        kept = user.password_hash if user is not None and user.is_active else None
        match = await self.passwords.matches(given.password, kept)
        if user is None or match is Match.NO:
            return self._wrong(visit, given, user)
        ticket = await self.entries.open(visit, given.tenant, user, Vouched(), old)
        if ticket is None:
            return self._wrong(visit, given, user)
        await self._attempts.prove(slates)
        if match is Match.STALE:
            await self._hash_anew(given, user)
        return ticket

    async def change_password(
        self, visit: Visit, visitor: Visitor, current: str, new: str
    ) -> Ticket | Refuse:
        """Set the visitor's password; other sessions end, and this one goes on with a new cookie.

        Raises:
            As `sign_in`; and Conflict, NotInForce, as any change of an account.
        """
        user = await self.entries.account(visitor)
        if user is None or user.password_hash is None or not self.rules.local_accounts:
            return _NONE_TO_CHANGE
        given = Credentials(visitor.principal.tenant, user.name, current)
        slates = await self._admit(visit, given)
        if isinstance(slates, Refuse):
            return slates
        if await self.passwords.matches(current, user.password_hash) is Match.NO:
            self._wrong(visit, given, user)
            return _WRONG_CURRENT
        await self._attempts.prove(slates)
        wrong = self.objection(new, user.name, current)
        return wrong or await self._set(visit, visitor, await self.passwords.hash(new))

    def objection(self, password: str, account: str, current: str = "") -> Refuse | None:
        """What is wrong with a new password for `account`; None for nothing."""
        wrong = weakness(password, account, self.rules.least_characters)
        if wrong is None and password == current:
            wrong = "This is the password you have already. Choose another one."
        return None if wrong is None else invalid("password", wrong)

    async def _set(self, visit: Visit, visitor: Visitor, kept: str) -> Ticket:
        principal, user_id = visitor.principal, visitor.session.user_id
        caller, control = Caller(principal, visit.correlation_id), self.entries.control

        def at_once() -> None:
            self.entries.browsers.forget(user_id)

        target = principal.subject
        async with control.change(caller, "user.set_password", target, then=at_once) as rows:
            await Users(rows.session, rows.tenant_id).set_password_hash(user_id, kept)
            ticket = await self.entries.renew(rows, visit, visitor)
            await write_down(control, visit, Event("password.change", caller.tenant, target))
        return ticket

    async def _admit(self, visit: Visit, given: Credentials) -> tuple[Slate, ...] | Refuse:
        """Count an attempt, unless there were too many."""
        slates = self._attempts.slates(given.tenant, given.name, visit.peer)
        seconds = await self._attempts.admit(slates)
        if seconds is None:
            return slates
        self._note(visit, given, None, ErrorCode.TOO_MANY_ATTEMPTS, "too many attempts")
        return turned_away("Too many attempts to sign in.", seconds)

    async def _find(self, given: Credentials) -> StoredUser | None:
        is_name = len(given.name) <= _LONGEST_NAME and given.name.isprintable()
        if not is_name or given.tenant not in self.entries.control.snapshot().tenants:
            return None
        async with self.entries.control.database.read() as rows:
            tenant = await Tenants(rows).find(given.tenant)
            return None if tenant is None else await Users(rows, tenant.id).find(given.name)

    def _wrong(self, visit: Visit, given: Credentials, user: StoredUser | None) -> Refuse:
        if user is None:
            reason = "there is no such account"
        elif not user.is_active:
            reason = "the account is not active"
        elif user.password_hash is None:
            reason = "the account has no password"
        else:
            reason = "the password is wrong"
        self._note(visit, given, user, ErrorCode.INVALID_TOKEN, reason)
        return _WRONG

    def _note(
        self,
        visit: Visit,
        given: Credentials,
        user: StoredUser | None,
        error: ErrorCode,
        reason: str,
    ) -> None:
        """Record a failure; nobody waits for it. Names that are no account's are not written down:
        people type their password there."""
        held_back = 0 if user is not None else self._strangers.take(time.monotonic())
        if held_back is None:
            return
        name = "" if user is None else user.name
        # What strangers write fills no disk, and speaks of no tenant that is not there.
        known = given.tenant in self.entries.control.snapshot().tenants
        tenant = given.tenant if known else ""
        event = Event("sign_in", tenant, name, Status.DENIED, error, reason)
        more = {"held_back": held_back} if held_back else {}
        write_down(self.entries.control, visit, event, **more)

    async def _hash_anew(self, given: Credentials, user: StoredUser) -> None:
        kept = await self.passwords.hash(given.password)
        async with self.entries.control.database.jotting() as rows:
            tenant_id = (await Tenants(rows).get(given.tenant)).id
            await Users(rows, tenant_id).rehash(user.id, user.password_hash, kept)


def invalid(field: str, sentence: str) -> Refuse:
    """The refusal of one field of a form."""
    return Refuse(ErrorCode.INVALID_VALUE, sentence, sentence, {"field": field})


_NO_PASSWORDS: Final = Refuse(
    ErrorCode.FORBIDDEN,
    public="Nobody signs in with a password here. Sign in with your organisation's account.",
    private="identity.local_accounts is off",
)
_WRONG: Final = Refuse(
    ErrorCode.INVALID_TOKEN,
    public="Name and password do not fit. Check both, and try again.",
    private="name and password do not fit",
)
_WRONG_CURRENT: Final = invalid("current", "This is not your current password.")
_NONE_TO_CHANGE: Final = Refuse(
    ErrorCode.FORBIDDEN,
    public="Your account has no password here: you sign in with your organisation's account.",
    private="no password to change",
)
