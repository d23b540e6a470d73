"""What is wrong with the settings: every fault at once, each with its place and its remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `place` is `file:line:column`, `environment NAME` or `flag --name`.

    `what` and `remedy` are sentences and never quote the value of a secret.
    """

    place: str
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}\n    {self.remedy}"


class SettingsInvalid(Exception):
    """The settings cannot be used; `problems` holds every reason found, in order of reading."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problems" if len(self.problems) != 1 else "a problem"
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"The settings have {count}:\n{listed}")


def fault(what: str, remedy: str) -> PydanticCustomError:
    """What a validator raises to say in its own words what is wrong and what to do.

    `what` continues a sentence that starts with the name of the setting.
    """
    return PydanticCustomError("bascule", "{what}", {"what": what, "remedy": remedy})
