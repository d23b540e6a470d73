"""History for providers that want person and model to take turns."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from bascule.chat.models import Answered, Entry


def exchanges(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """`entries` in groups, of `user` and `assistant` in turn.

    What tools returned is the user's, together with what the person wrote after it.
    """
    for is_model, group in groupby(entries, key=lambda entry: isinstance(entry, Answered)):
        yield "assistant" if is_model else "user", list(group)
