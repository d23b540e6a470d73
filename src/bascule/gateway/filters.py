"""Arithmetic of what is listened for: what is common, what is left, what covers what."""

from collections.abc import Iterable
from typing import Final

from bascule.gateway.feed import ChangeKind, ListenFilter

NOTHING: Final = ListenFilter()
LISTS: Final = (ChangeKind.TOOLS, ChangeKind.PROMPTS, ChangeKind.RESOURCES)

Topic = tuple[ChangeKind, str]
"""One thing to hear of; the key of a list is empty, that of others a URI or a task id."""


def topics(wanted: ListenFilter) -> list[Topic]:
    """Everything in `wanted`, each once."""
    flags = (wanted.tools_list_changed, wanted.prompts_list_changed, wanted.resources_list_changed)
    lists = [(kind, "") for kind, flag in zip(LISTS, flags, strict=True) if flag]
    uris = [(ChangeKind.RESOURCE, uri) for uri in dict.fromkeys(wanted.resource_subscriptions)]
    tasks = [(ChangeKind.TASK, task_id) for task_id in dict.fromkeys(wanted.task_ids)]
    return [*lists, *uris, *tasks]


def filter_of(chosen: Iterable[Topic]) -> ListenFilter:
    """The filter that holds exactly `chosen`, in their order."""
    flags: set[ChangeKind] = set()
    uris: list[str] = []
    tasks: list[str] = []
    for kind, key in chosen:
        if kind is ChangeKind.RESOURCE:
            uris.append(key)
        elif kind is ChangeKind.TASK:
            tasks.append(key)
        else:
            flags.add(kind)
    return ListenFilter(
        ChangeKind.TOOLS in flags,
        ChangeKind.PROMPTS in flags,
        ChangeKind.RESOURCES in flags,
        tuple(uris),
        tuple(tasks),
    )


def common(wanted: ListenFilter, granted: ListenFilter) -> ListenFilter:
    """What is in both, in the order of `wanted`."""
    held = set(topics(granted))
    return filter_of(topic for topic in topics(wanted) if topic in held)
