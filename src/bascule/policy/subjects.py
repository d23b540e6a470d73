"""What rules are held against: tools, prompts, resources, by all that they may be known as."""

from dataclasses import dataclass
from typing import Final

from bascule.gateway.inventory import ItemKind, Listed, Target
from bascule.gateway.rule import Rule
from bascule.gateway.tool import McpSource, RiskLevel, Tool
from bascule.protocol.uris import forms_of

BY_URI: Final = frozenset({ItemKind.RESOURCE, ItemKind.TEMPLATE})


@dataclass(frozen=True, slots=True)
class Face:
    """One thing that a subject is. `names` are all spellings; `kind` is None for a tool."""

    kind: ItemKind | None
    names: tuple[str, ...]
    bundle: str
    risk: RiskLevel
    tags: frozenset[str] = frozenset()

    def is_within(self, rule: Rule) -> bool:
        """Whether `rule` is about its bundle, risk and tags."""
        return (
            (not rule.bundles or self.bundle in rule.bundles)
            and (not rule.risks or self.risk in rule.risks)
            and (not rule.tags or not rule.tags.isdisjoint(self.tags))
        )


def faces_of(tool: Tool) -> tuple[Face, ...]:
    """What a tool is to the rules; what a bundle shows is a tool of two places.

    A rule about one of them is about the tool, so that no denied tool comes back under another
    name, and no allowed one is lost.
    """
    tags = frozenset(tool.tags)
    # A tool is renamed when another of its name appears; no rule about it must stop to apply.
    own = tool.source.name if isinstance(tool.source, McpSource) else tool.name
    home = tool.home
    if home is None:
        names = (tool.name,) if own == tool.name else (tool.name, own)
        return (Face(None, names, tool.bundle, tool.risk, tags),)
    names = (home.name, own) if isinstance(tool.source, McpSource) else (home.name,)
    return (
        Face(None, (tool.name, *names), tool.bundle, tool.risk, tags),
        Face(None, names, home.bundle, tool.risk, tags),
    )


def face_of(kind: ItemKind, item: Target | Listed) -> Face:
    """What a prompt, resource or template is to the rules."""
    if kind is ItemKind.PROMPT:
        names = (item.name,) if item.name == item.inner else (item.name, item.inner)
    else:
        names = forms_of(item.inner)
    return Face(kind, names, item.bundle, item.risk)
