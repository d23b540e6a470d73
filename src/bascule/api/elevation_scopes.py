"""What a request for elevation is about, and how much of it an approver grants."""

import time
from typing import Final

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.elevated import Approval, LiveGrants, Wanted
from bascule.api.suggestions import unknown
from bascule.gateway.decision import Circumstances, Question
from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.errors import InvalidValue, NotFound
from bascule.gateway.masking import mask
from bascule.gateway.rule import Action
from bascule.gateway.tool import Tool
from bascule.policy.elevation import (
    bundles_of,
    canonical_name,
    exact_name,
    narrowed,
    shortened,
    words_of,
)
from bascule.storage.repositories.elevations import Origin, StoredElevation

_MOST_SHOWN_BYTES: Final = 16_384
_DECISION_SECONDS: Final = 5.0


class Subjects:
    """The tools and bundles that elevation can be asked for, as each caller sees them."""

    def __init__(self, control: Control, live: LiveGrants) -> None:
        self._control = control
        self._live = live

    async def origin(self, caller: Caller, wanted: Wanted) -> Origin:
        """What `wanted` is about.

        Raises:
            NotFound: there is no such tool or bundle, or the caller may not know of it: in the
                same words. Names the closest one that the caller sees.
            InvalidValue: arguments are missing, or cannot be told apart from others; or no call of
                the tool needs elevation.
        """
        if wanted.link is not None:
            link = wanted.link
            return Origin(link.tool, link.bundle, link.digest, link.arguments)
        if wanted.kind is ScopeKind.BUNDLE:
            if not await self._sees_bundle(caller, wanted.name):
                raise await self._unknown_bundle(caller, wanted.name)
            return Origin(bundle=wanted.name)
        tool = self._control.snapshot().tenant(caller.tenant).tools.get(wanted.name)
        if tool is None or not await self._sees(caller, tool):
            raise await self._unknown_tool(caller, wanted.name)
        self._check_elevates(caller, tool)
        name, bundle = canonical_name(tool), bundles_of(tool)[0]
        if wanted.kind is not ScopeKind.CALL:
            return Origin(name, bundle)
        if wanted.arguments is None:
            raise InvalidValue(
                "A request for one call needs its arguments, exactly as the call will have them. "
                "For any arguments, ask for the tool.",
                details={"field": "arguments"},
            )
        digest = self._live.digest(exact_name(tool), wanted.arguments)
        shown = shortened(mask(dict(wanted.arguments)), _MOST_SHOWN_BYTES)
        return Origin(name, bundle, digest, shown)

    def granted(self, caller: Caller, found: StoredElevation, approval: Approval) -> Scope:
        """The scope that `approval` grants of what `found` asks for.

        Raises:
            InvalidValue: that would be more, or something else.
        """
        kind = approval.kind or found.scope.kind
        if not approval.tool or approval.tool == found.tool:
            return narrowed(found.scope, kind, found.tool, found.digest)
        scope = narrowed(found.scope, kind, approval.tool, "")
        tool = self._control.snapshot().tenant(caller.tenant).tools.get(approval.tool)
        if scope == found.scope or tool is None or found.scope.name not in bundles_of(tool):
            asked = words_of(found.scope)
            raise InvalidValue(
                f"{approval.tool[:100]} is not part of {asked}, which was asked for.",
                details={"field": "tool"},
            )
        return scope

    def _check_elevates(self, caller: Caller, tool: Tool) -> None:
        """Pass where some call of the tool may need leave, in any version and by any bundle."""
        access, name = self._control.access(), canonical_name(tool)
        served = self._control.snapshot().tenant(caller.tenant).bundle_tools.values()
        shown = [one for tools in served for one in tools.values() if canonical_name(one) == name]
        every = (tool, *access.versions(caller.tenant, tool.name), *shown)
        if not any(access.may_elevate(caller.principal, one) for one in every):
            raise InvalidValue(
                f"No call of {name} needs elevation, so there is nothing to ask for: call it "
                f"without. Where it is refused, `bascule policy explain {name}` says why.",
                details={"field": "name"},
            )

    async def _unknown_tool(self, caller: Caller, name: str) -> NotFound:
        tools = self._control.snapshot().tenant(caller.tenant).tools
        return await unknown("tool", name, tools, lambda one: self._sees(caller, tools[one]))

    async def _unknown_bundle(self, caller: Caller, name: str) -> NotFound:
        view = self._control.snapshot().tenant(caller.tenant)
        names = {*view.bundles, *view.bundle_tools}
        return await unknown("bundle", name, names, lambda one: self._sees_bundle(caller, one))

    async def _sees_bundle(self, caller: Caller, name: str) -> bool:
        view = self._control.snapshot().tenant(caller.tenant)
        own = (tool for tool in view.tools.values() if tool.bundle == name)
        for tool in (*own, *view.bundle_tools.get(name, {}).values()):
            if await self._sees(caller, tool):
                return True
        return False

    async def _sees(self, caller: Caller, tool: Tool) -> bool:
        question = Question(
            caller.principal, tool, Action.DISCOVER, Circumstances(self._live.now().timestamp())
        )
        deadline = time.monotonic() + _DECISION_SECONDS
        return (await self._control.access().decide_use(question, deadline=deadline)).possible


def scope_of(kind: ScopeKind, origin: Origin) -> Scope:
    """The scope of `kind` for what came of `origin`.

    Raises:
        InvalidValue: it came of nothing that has such a scope.
    """
    name = origin.bundle if kind is ScopeKind.BUNDLE else origin.tool
    if not name:
        raise InvalidValue("The tool is in no bundle.", details={"field": "scope"})
    return Scope(kind, name, origin.digest if kind is ScopeKind.CALL else "")
