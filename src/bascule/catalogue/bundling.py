"""What the endpoints of bundles serve: tools of their own, borrowed ones, and frozen releases.

A bundle may rename what it shows, describe it in other words, and fix arguments: these leave the
input schema, and a call gets them once it was judged. Risk, status and version stay the tool's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import structlog

from bascule.catalogue.fixing import without_arguments
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import Bundle, Home, McpSource, Member, Release, Tool
from bascule.gateway.versions import choose, fits, is_prerelease

_log = structlog.get_logger(__name__)

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class Misfit(ValueError):
    """What a bundle changes about a tool does not go with it; the message says why."""


def with_selections(view: TenantView) -> TenantView:
    """`view` with what its bundles serve, for all that serve more or less than their own tools.

    A member that there is no tool for, or that does not go with its tool, is not served.
    """
    chosen = [one for one in view.bundles.values() if one.members or one.releases]
    if not chosen:
        return view
    own: dict[str, list[Tool]] = {one.name: [] for one in chosen if one.members}
    for tool in view.tools.values():
        if tool.bundle in own:
            own[tool.bundle].append(tool)
    served: dict[str, Mapping[str, Tool]] = {}
    finder = Finder(view)
    for bundle in chosen:
        selection = _Selection(finder, bundle.name)
        released = {one.version: selection.frozen(one) for one in bundle.releases}
        for pin, version in _pins(bundle.releases):
            served[f"{bundle.name}@{pin}"] = released[version]
        if bundle.served in released:
            served[bundle.name] = released[bundle.served]
        elif bundle.members:
            served[bundle.name] = selection.live(own[bundle.name], bundle.members)
    return replace(view, bundle_tools=served)


def show(tool: Tool, bundle: str, member: Member) -> Tool:
    """`tool` as `bundle` shows it.

    Raises:
        Misfit: the member fixes arguments that the tool does not take.
    """
    fixed = member.defaults
    reason = misfit(tool, member)
    if reason:
        raise Misfit(reason)
    schema = without_arguments(tool.input_schema, fixed) if fixed else tool.input_schema
    changed: dict[str, object] = {}
    if member.shown_name != tool.name or tool.own_definition:
        changed["name"] = member.shown_name
    if member.description:
        changed["description"] = member.description
    if fixed:
        changed["inputSchema"] = schema
    return replace(
        tool,
        name=member.shown_name,
        bundle=bundle,
        description=member.description or tool.description,
        input_schema=schema,
        definition=_changed(tool.definition, changed) if changed else tool.definition,
        own_definition=b"",
        mirrors=tuple(one for one in tool.mirrors if one.path[0] not in fixed),
        examples=tuple(_without(one, fixed) for one in tool.examples),
        defaults=fixed,
        home=Home(tool.name, tool.bundle, tool.input_schema),
    )


def misfit(tool: Tool, member: Member) -> str:
    """Why `member` does not go with `tool`; "" where it does."""
    properties = tool.input_schema.get("properties")
    known = frozenset[Any](properties if isinstance(properties, Mapping) else ())  # pyright: ignore[reportUnknownArgumentType]
    unknown = [name for name in member.defaults if name not in known]
    if not unknown:
        return ""
    return f"{tool.name} {tool.version} takes no argument {unknown[0]}"


class Finder:
    """Finds the tools that members mean, in one view."""

    def __init__(self, view: TenantView) -> None:
        self._view = view
        self._relayed: Mapping[tuple[str, str], Tool] | None = None

    def find(self, member: Member) -> Tool | None:
        """The tool that `member` means, in the version it means; None where there is none.

        A name of the registry never means a tool of a server, nor one server's another's.
        """
        if member.server:
            tool = self._by_server().get((member.server, member.tool))
            return tool if tool is not None and fits(tool.version, member.version) else None
        tool = self._view.tools.get(member.tool)
        if tool is not None and isinstance(tool.source, McpSource):
            return None
        if not member.version:
            return tool
        known = self._view.versions.get(member.tool) or (() if tool is None else (tool,))
        return choose(known, member.version)

    def _by_server(self) -> Mapping[tuple[str, str], Tool]:
        if self._relayed is None:
            tools = self._view.tools.values()
            self._relayed = {
                (tool.source.upstream, tool.source.name): tool
                for tool in tools
                if isinstance(tool.source, McpSource)
            }
        return self._relayed


@dataclass(slots=True)
class _Selection:
    """The showings of one bundle; what two releases show the same is made once."""

    finder: Finder
    bundle: str
    _plain: dict[tuple[int, str], Tool] = field(default_factory=dict[tuple[int, str], Tool])

    def frozen(self, release: Release) -> Mapping[str, Tool]:
        shown = [tool for one in release.members if (tool := self._shown(one)) is not None]
        return {tool.name: tool for tool in shown}

    def live(self, own: Iterable[Tool], members: Iterable[Member]) -> Mapping[str, Tool]:
        """The bundle's own tools, where a member does not show them, and its members."""
        members = tuple(members)
        replaced = {member.tool for member in members if not member.server}
        served = {tool.name: tool for tool in own if tool.name not in replaced}
        for member in members:
            if member.shown_name in served:
                # The tool that has the name by right keeps it, or calls would go astray.
                _log.warning(
                    "bundle.name_taken", bundle=self.bundle, tool=member.tool, name=member.name
                )
                continue
            tool = self._shown(member)
            if tool is not None:
                served[tool.name] = tool
        return dict(sorted(served.items()))

    def _shown(self, member: Member) -> Tool | None:
        tool = self.finder.find(member)
        if tool is None:
            return None
        key = (id(tool), member.name)
        is_plain = not (member.description or member.defaults)
        if is_plain and key in self._plain:
            return self._plain[key]
        try:
            shown = show(tool, self.bundle, member)
        except Misfit as reason:
            _log.warning("bundle.member_unserved", bundle=self.bundle, reason=str(reason))
            return None
        if is_plain:
            self._plain[key] = shown
        return shown


def _pins(releases: tuple[Release, ...]) -> Iterator[tuple[str, str]]:
    """What callers may pin, and the release each pin means; `releases` are newest first."""
    ordered = sorted(releases, key=lambda one: is_prerelease(one.version))
    meant: dict[str, str] = {}
    for release in ordered:
        parts = release.version.split(".")
        for length in range(1, len(parts)):
            meant.setdefault(".".join(parts[:length]), release.version)
    meant.update((one.version, one.version) for one in releases)
    yield from meant.items()


def frozen_members(view: TenantView, bundle: Bundle) -> tuple[Member, ...]:
    """What the live selection of `bundle` amounts to now, each tool in its version."""
    replaced = {member.tool for member in bundle.members if not member.server}
    own = [
        Member(one.name, one.version)
        for one in view.tools.values()
        if one.bundle == bundle.name and one.name not in replaced
    ]
    taken = {one.tool for one in own}
    finder = Finder(view)
    borrowed = [
        replace(member, version=tool.version)
        for member in bundle.members
        if (tool := finder.find(member)) is not None
        and not misfit(tool, member)
        and member.shown_name not in taken
    ]
    return (*own, *borrowed)


def _changed(definition: bytes, members: Mapping[str, object]) -> bytes:
    """`definition` (a JSON object) with other values for `members`; the rest as it came."""
    return _encode({**_decode_members(definition), **members})


def _without(example: Mapping[str, object], names: Iterable[str]) -> Mapping[str, object]:
    gone = set(names)
    return {key: value for key, value in example.items() if key not in gone}
