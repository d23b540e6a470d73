"""Who the tools of an import belong to, where neither the document nor anybody else says so."""

from dataclasses import dataclass, replace
from typing import Final

from bascule.catalogue.openapi import Conversion
from bascule.catalogue.openapi.drafts import ToolDraft


@dataclass(frozen=True, slots=True)
class Labels:
    """What whoever imports says of all tools that have none of their own."""

    owner: str | None = None
    domain: str | None = None
    tags: tuple[str, ...] = ()


UNLABELLED: Final = Labels()


def label(conversion: Conversion, labels: Labels) -> Conversion:
    """The tools of `conversion`, with `labels` where the document says nothing."""
    if labels == UNLABELLED:
        return conversion
    return replace(conversion, tools=tuple(_label(one, labels) for one in conversion.tools))


def _label(draft: ToolDraft, labels: Labels) -> ToolDraft:
    return replace(
        draft,
        owner=draft.owner or labels.owner,
        domain=draft.domain or labels.domain,
        tags=draft.tags or labels.tags,
    )
