"""Setting the tenant's standard, and finding who falls short of it."""

from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.standards.schemas import Standard, Violation, ViolationList
from bascule.catalogue.planning import LIVE
from bascule.catalogue.standards import ANYTHING_GOES, violations
from bascule.catalogue.standards import Field as Asked
from bascule.catalogue.standards import Standard as Rule
from bascule.gateway.errors import InvalidValue
from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.repositories.page import LARGEST_PAGE
from bascule.storage.repositories.standards import Standards
from bascule.storage.repositories.tools import Tools

_LISTED: Final = frozenset({Asked.OWNER, Asked.DOMAIN, Asked.TAGS})
_MOST_SHOWN: Final = 500


async def get_standard(control: Control, caller: Caller) -> Standard:
    """The standard in force."""
    async with control.read(caller) as rows:
        return _shown(await Standards(rows.session, rows.tenant_id).get())


async def set_standard(control: Control, caller: Caller, wanted: Standard) -> Standard:
    """Put a standard in force.

    Raises:
        InvalidValue: values cannot be listed for such a field, or cannot all be met.
    """
    _check(wanted)
    rule = Rule(
        tuple(dict.fromkeys(wanted.required)),
        wanted.minimum_tags,
        {name: tuple(dict.fromkeys(values)) for name, values in wanted.allowed.items()},
    )
    details = {"standard": wanted.model_dump(mode="json")}
    async with control.change(caller, "standard.set", "metadata", details) as rows:
        await Standards(rows.session, rows.tenant_id).set(rule)
    return _shown(rule)


async def list_violations(control: Control, caller: Caller) -> ViolationList:
    """What the tenant's tools in force lack.

    A deprecated version counts only where its tool has no active one: it was relieved already.
    """
    found: list[Violation] = []
    active: set[str] = set()
    deprecated: set[str] = set()
    async with control.read(caller) as rows:
        rule = await Standards(rows.session, rows.tenant_id).get()
        tools = Tools(rows.session, rows.tenant_id)
        number, seen = 1, 0
        while rule != ANYTHING_GOES:
            page = await tools.list(page=number, limit=LARGEST_PAGE)
            for one in page.items:
                if one.tool.status in LIVE:
                    is_active = one.tool.status is ToolStatus.ACTIVE
                    (active if is_active else deprecated).add(one.tool.name)
                    found += _violations(rule, one.tool)
            seen += len(page.items)
            number += 1
            if not page.items or seen >= page.total:
                break
    counting = [one for one in found if one.status is ToolStatus.ACTIVE or one.tool not in active]
    checked = len(active | deprecated)
    return ViolationList(violations=counting[:_MOST_SHOWN], total=len(counting), checked=checked)


def _violations(rule: Rule, tool: Tool) -> list[Violation]:
    return [
        Violation(
            tool=tool.name,
            version=tool.version,
            bundle=tool.bundle,
            status=tool.status,
            field=one.field,
            message=one.message,
        )
        for one in violations(rule, tool)
    ]


def _check(wanted: Standard) -> None:
    unlisted = sorted(set(wanted.allowed) - _LISTED)
    if unlisted:
        raise InvalidValue(
            f"Allowed values can be given for {', '.join(sorted(_LISTED))}, not for {unlisted[0]}.",
            details={"field": f"allowed.{unlisted[0]}"},
        )
    tags = wanted.allowed.get(Asked.TAGS)
    if tags is not None and wanted.minimum_tags > len(set(tags)):
        raise InvalidValue(
            f"minimum_tags is {wanted.minimum_tags}, but only {len(set(tags))} tags are allowed.",
            details={"field": "minimum_tags"},
        )


def _shown(rule: Rule) -> Standard:
    return Standard(
        required=list(rule.required),
        minimum_tags=rule.minimum_tags,
        allowed={name: list(values) for name, values in rule.allowed.items()},
    )
