"""Which roles membership of a group brings."""

from bascule.api.caller import Caller
from bascule.api.control import Control, Rows
from bascule.api.granting import refuse_mightier
from bascule.api.resources.groups.schemas import Group
from bascule.storage.repositories.groups import Groups, StoredGroup


async def list_groups(control: Control, caller: Caller) -> list[Group]:
    """Every group that brings a role in the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(group) for group in await _groups(rows).list()]


async def get_group(control: Control, caller: Caller, name: str) -> Group:
    """One group.

    Raises:
        NotFound: it brings nothing.
    """
    async with control.read(caller) as rows:
        return _shown(await _groups(rows).get(name))


async def put_group(control: Control, caller: Caller, name: str, roles: list[str]) -> Group:
    """Let membership of a group bring `roles`, and nothing else.

    Raises:
        Forbidden: it would bring what the caller does not have.
        InvalidValue: a role does not exist, or none is named.
    """
    details: dict[str, object] = {"after": {"roles": sorted(roles)}}
    async with control.change(caller, "group.put", name, details) as rows:
        before = await _groups(rows).find(name)
        held = frozenset[str]() if before is None else before.roles
        await refuse_mightier(rows, caller, set(roles) - held, f"A member of {name}")
        details["before"] = None if before is None else {"roles": sorted(held)}
        return _shown(await _groups(rows).put(name, roles))


async def delete_group(control: Control, caller: Caller, name: str) -> None:
    """Let membership of a group bring nothing.

    Raises:
        NotFound: it brings nothing.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "group.delete", name, details) as rows:
        gone = await _groups(rows).delete(name)
        details["before"] = {"roles": sorted(gone.roles)}


def _groups(rows: Rows) -> Groups:
    return Groups(rows.session, rows.tenant_id)


def _shown(stored: StoredGroup) -> Group:
    return Group(
        name=stored.name,
        roles=sorted(stored.roles),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )
