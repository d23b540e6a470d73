"""That a tool is privileged is a rule like others: who changes tools does not take it away."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.gateway.errors import Forbidden
from bascule.storage.repositories.risks import Risks, Standing

PERMISSION: Final = "policies:write"
_MOST_NAMED: Final = 10


@asynccontextmanager
async def keeping_privileged(rows: Rows, caller: Caller) -> AsyncGenerator[None]:
    """Refuse what the block did where a tool that is privileged could be called as less.

    A tool is privileged as the version in force is; while none is in force, as any version is that
    is kept, drafts aside. So switching off first, or deleting what tells of it, leads nowhere.
    Who may write policies may do all of it.

    Raises:
        Forbidden: names the tools.
    """
    if caller.principal.may(PERMISSION):
        yield
        return
    risks = Risks(rows.session, rows.tenant_id)
    before = {name: one for name, one in (await risks.privileged()).items() if one.is_privileged}
    yield
    if not before:
        return
    await rows.session.flush()
    after = await risks.standings(before)
    if lowered := [name for name in sorted(before) if _is_lowered(name, before, after)]:
        raise lowering_refused(lowered)


def lowering_refused(names: Iterable[str]) -> Forbidden:
    """The failure where the tools of these names would need no elevation any more."""
    tools = list(names)
    shown = ", ".join(tools[:_MOST_NAMED])
    more = f" and {len(tools) - _MOST_NAMED} more" if len(tools) > _MOST_NAMED else ""
    return Forbidden(
        f"Calls of {shown}{more} need elevation because of the risk privileged. Lowering that, or "
        f"deleting what tells of it, needs the permission {PERMISSION}; ask an administrator, or "
        "keep the risk (x-bascule-risk: privileged).",
        details={"permission": PERMISSION, "field": "risk_level", "tools": tools},
    )


def _is_lowered(name: str, before: Mapping[str, Standing], after: Mapping[str, Standing]) -> bool:
    now = after.get(name)
    if now is None or not now.is_remembered:
        return True
    return now.is_mild_in_force or bool(now.milder - before[name].milder)
