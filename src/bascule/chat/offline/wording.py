"""The sentences of the planner."""

import re
from collections.abc import Sequence
from typing import Final

from bascule.chat.models import ModelTool
from bascule.chat.offline.candidates import SHOWN
from bascule.chat.offline.resolving import Ask, Call
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.shapes import as_list
from bascule.chat.offline.shelf import examples_of
from bascule.chat.offline.summary import NOTHING, clean, row_lines
from bascule.chat.offline.words import spoken_name

INTRODUCTION: Final = (
    "I am a built-in planner, not a language model: I match your words to the tools you may use."
)
DROPPED: Final = "All right, I have dropped it. What would you like to do instead?"
WELCOME: Final = "You are welcome."
NOTHING_TO_DROP: Final = "There is nothing under way. What would you like to do?"
NO_TOOLS: Final = "There is no tool that you may use here. Ask an administrator for access to one."
MANY_TOOLS: Final = (
    "There are more tools than I can list. Say what is to be done, and to what; I search for it."
)
ENGLISH_ONLY: Final = "I have no tool for that, and I read English only. Ask me what I can do."
ENOUGH_STEPS: Final = (
    "I stop here: this takes more steps than I make for one message. Tell me what to do next."
)
TELL_ME: Final = "Tell me what to change, or say never mind."
NOT_READ: Final = "I could not read an answer to my question in that."
_NAME: Final = re.compile(r"\w_\w|\b[a-z]+[A-Z]\w*")
_MOST_TOOLS: Final = 8
_MOST_CHOICES: Final = 12
_FORMATS: Final = {
    "date": "For instance 2026-11-25 or tomorrow.",
    "date-time": "For instance 25 November at 10:00.",
    "time": "For instance 14:30.",
    "email": "For instance name@example.com.",
    "uuid": "It looks like 3fa85f64-5717-4562-b3fc-2c963f66afa6.",
    "uri": "For instance https://example.com/page.",
}


def title_of(tool: ModelTool) -> str:
    """What a person calls the tool."""
    return clean(tool.title or spoken_name(tool.name), 80)


def list_tools(tools: Sequence[ModelTool]) -> str:
    """What can be done, by title."""
    if not tools:
        return NO_TOOLS
    lines = [f"- {title_of(one)}" for one in tools[:_MOST_TOOLS]]
    more = len(tools) - _MOST_TOOLS
    rest = f"\n\nThere are {more} more; name what you need." if more > 0 else ""
    return "I can do this for you:\n\n" + "\n".join(lines) + rest


def nothing_fits(nearest: Sequence[ModelTool]) -> str:
    """No tool is meant, and what comes nearest."""
    if not nearest:
        return "I have no tool for that. Ask me what I can do."
    titles = "\n".join(f"- {title_of(one)}" for one in nearest)
    return (
        f"I have no tool that fits. The nearest are:\n\n{titles}\n\nSay in other words "
        f"what you need."
    )


def announce(calls: Sequence[Call], *, is_goal: bool) -> str:
    """What is called next, where it changes something; with what, the call itself shows."""
    if is_goal and calls and calls[0].tool.risk != "read":
        return f"I have what is needed for: {title_of(calls[0].tool)}."
    return ""


def how_to_check(reader: ModelTool | None, needed: Sequence[Leaf]) -> str:
    """How to find out whether something was done that nobody knows of."""
    again = 'Say "try again" only when you know that it was not.'
    if reader is None:
        return f"I have no tool that shows it: ask whoever runs the service. {again}"
    labels = " and ".join(clean(one.label, 60) for one in needed)
    needs = f", with the {labels}" if labels else ""
    return f"To find out, ask me for: {title_of(reader)}{needs}. {again}"


def question(ask: Ask, *, rows_are_shown: bool) -> str:
    """One plain question."""
    if ask.rows is not None:
        return _choice(ask, rows_are_shown=rows_are_shown)
    lead = f"{NOTHING} " if ask.is_empty else ""
    return f"{lead}{_wanted(ask.leaf)}".strip()


def _wanted(leaf: Leaf) -> str:
    label = clean(leaf.label, 60)
    values = [str(one) for one in as_list(leaf.schema.get("enum") or leaf.items.get("enum"))]
    if values:
        listed = ", ".join(clean(one, 40) for one in values[:_MOST_CHOICES])
        return f"Which {label}? One of: {listed}."
    if leaf.kind == "boolean":
        return f"{label.capitalize()}: yes or no?"
    if leaf.kind in {"array", "object"} and leaf.items.get("type") in {"object", "array", None}:
        return f"I need {label}, which I cannot read from plain words. Use the tool's form for it."
    return f"Which {label}?{_hint(leaf)}"


def _hint(leaf: Leaf) -> str:
    form = leaf.schema.get("format") or leaf.items.get("format")
    if isinstance(form, str) and form in _FORMATS:
        return f" {_FORMATS[form]}"
    sentence = re.split(r"(?<=[.;:])\s", leaf.description.strip(), maxsplit=1)[0]
    # Names of tools and fields are for programs.
    told = "" if _NAME.search(sentence) else clean(sentence, 120).rstrip(".;:")
    examples = examples_of(leaf.schema) or examples_of(leaf.items)
    instance = f" For instance {clean(examples[0], 60)}." if examples else ""
    return f" {told}.{instance}" if told else instance


def _choice(ask: Ask, *, rows_are_shown: bool) -> str:
    rows = ask.rows
    if rows is None:
        return ""
    numbers = list(ask.among) or list(range(len(rows.items)))
    lines = [] if rows_are_shown and not ask.among else row_lines(rows.texts, numbers[:SHOWN])
    listed = "\n".join(lines) + "\n\n" if lines else ""
    return f"{listed}Which one do you want? Say its number or its name."
