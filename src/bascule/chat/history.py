"""A stored branch as a model is told of it.

The steps of an answer are known by its parts (see `Message`): each begins with a text part.
"""

from collections.abc import Iterator, Sequence

from bascule.chat.models import Answered, Entry, Returned, Said, Wanted
from bascule.chat.naming import model_name
from bascule.chat.parts import CallPart, Message, Part, Role, TextPart, text_of
from bascule.chat.results import told


def steps_of(parts: Sequence[Part]) -> Iterator[tuple[str, list[CallPart]]]:
    """The text and the calls of each step, in their order."""
    text, calls, has_begun = "", list[CallPart](), False
    for part in parts:
        if isinstance(part, TextPart):
            if has_begun:
                yield text, calls
            text, calls, has_begun = part.text, [], True
        elif isinstance(part, CallPart):
            calls.append(part)
            has_begun = True
    if has_begun:
        yield text, calls


def history(branch: Sequence[Message], most_result_characters: int) -> list[Entry]:
    """The entries of `branch`, from its first message on.

    Messages of the person with no answer between them become one, since providers want turns to
    alternate. Notices are between the service and the person, and are left out.
    """
    entries: list[Entry] = []
    for message in branch:
        if message.role is Role.USER:
            _say(entries, text_of(message))
        else:
            entries.extend(_answered(message, most_result_characters))
    return entries


def _say(entries: list[Entry], text: str) -> None:
    if entries and isinstance(entries[-1], Said):
        text = f"{entries.pop().text}\n\n{text}"  # pyright: ignore[reportAttributeAccessIssue]
    entries.append(Said(text))


def _answered(message: Message, most_characters: int) -> Iterator[Entry]:
    for text, calls in steps_of(message.parts):
        if not text and not calls:
            continue
        yield Answered(text, [Wanted(c.id, model_name(c.tool), c.arguments) for c in calls])
        returned: list[Returned] = [told(call, most_characters) for call in calls]
        yield from returned
