"""Who is asked about: a user, a key, or somebody who may not even exist."""

from collections.abc import Iterable
from dataclasses import replace

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.decisions.schemas import Whom
from bascule.gateway.errors import InvalidValue
from bascule.gateway.principal import KeyRecord, Person, Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.policy.hypothetical import SOMEONE, Case, caller_of, missing


def principal_of(control: Control, caller: Caller, whom: Whom) -> Principal:
    """The caller that `whom` means; who asks, where it says nothing.

    Raises:
        InvalidValue: there is no such user, key or role in the tenant, or it is not active.
    """
    snapshot = control.snapshot()
    view = snapshot.tenant(caller.tenant)
    if whom.key is not None:
        _refuse_more(whom)
        held = _key(keys_of(snapshot, view.tenant), whom.key).principal
        return replace(held, agent=whom.agent or held.agent)
    if whom.user is None and not whom.roles and not whom.groups:
        return replace(caller.principal, agent=whom.agent or caller.principal.agent)
    return _described(view, whom)


def _described(view: TenantView, whom: Whom) -> Principal:
    name = whom.user or SOMEONE
    person = next((one for one in view.people.values() if one.name == name), None)
    if person is None and not whom.roles and not whom.groups:
        raise missing("user", name, (one.name for one in view.people.values()))
    roles = tuple(whom.roles) if person is None else (*_roles_of(person), *whom.roles)
    case = Case("", user=name, roles=roles, groups=tuple(whom.groups), agent=whom.agent)
    return caller_of(view, case)


def _roles_of(person: Person) -> Iterable[str]:
    if not person.is_active:
        raise InvalidValue(
            f"The user {person.name} is not active, and is not let in at all.",
            details={"field": "user"},
        )
    return person.roles


def _refuse_more(whom: Whom) -> None:
    if whom.user is not None or whom.roles or whom.groups:
        raise InvalidValue(
            "A key has its user, roles and groups already: give the key alone.",
            details={"field": "key"},
        )


def keys_of(snapshot: Snapshot, tenant: str) -> dict[str, KeyRecord]:
    """The API keys of `tenant` that are not revoked, by id."""
    return {
        record.key_id: record
        for record in snapshot.keys.values()
        if record.principal.tenant == tenant
    }


def _key(keys: dict[str, KeyRecord], wanted: str) -> KeyRecord:
    found = keys.get(wanted)
    if found is not None:
        return found
    # Keys of people are named after their owner here: only an id tells them apart.
    named = {one.principal.subject: one for one in keys.values() if one.principal.user_id is None}
    if wanted not in named:
        raise missing("key", wanted, named)
    return named[wanted]
