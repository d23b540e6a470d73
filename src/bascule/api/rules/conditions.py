"""Under which circumstances a policy is about a use, as JSON."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, Self, cast, get_args

from pydantic import AwareDatetime, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bascule.api.bodies import Body, about
from bascule.api.rules.values import (
    MINUTES_A_DAY,
    JsonValue,
    Network,
    Path,
    TimeOfDay,
    Zone,
    minute_of,
    parts_of,
    path_of,
    time_of,
)
from bascule.gateway.rule import ArgumentTest, Operator, Rule, TimeWindow

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[str, ...]] = get_args(Day)
_LONGEST_PATTERN: Final = 1000
_MOST_VALUES: Final = 1000
_UNARY: Final = frozenset({Operator.PRESENT, Operator.ABSENT})


class Window(Body):
    """On these days (none: all) between two times of day; an end before the start is tomorrow."""

    model_config = ConfigDict(populate_by_name=True)

    days: Annotated[
        Annotated[list[Day], Field(max_length=7)], about("Days of the week; empty: all.")
    ] = Field(default_factory=list[Day])
    start: Annotated[
        Annotated[TimeOfDay, Field(alias="from")], about("Time of day at which it begins, `HH:MM`.")
    ] = "00:00"
    end: Annotated[
        Annotated[TimeOfDay, Field(alias="to")],
        about("Time of day at which it ends, `HH:MM`; at or before the start: on the next day."),
    ] = "24:00"
    zone: Annotated[Zone, about("Time zone of the times, by its IANA name.")] = "UTC"
    not_before: Annotated[AwareDatetime | None, about("It does not hold before this moment.")] = (
        None
    )
    not_after: Annotated[AwareDatetime | None, about("It does not hold after this moment.")] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if minute_of(self.start) == MINUTES_A_DAY:
            raise PydanticCustomError("window", "A window begins before 24:00; say from 00:00")
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            raise PydanticCustomError("window", "A window ends (not_after) after it begins")
        return self

    def value(self) -> TimeWindow:
        """The window as rules hold it."""
        return TimeWindow(
            days=frozenset(_DAYS.index(day) for day in self.days),
            start_minute=minute_of(self.start),
            end_minute=minute_of(self.end),
            zone=self.zone,
            not_before=self.not_before,
            not_after=self.not_after,
        )


class ArgumentCondition(Body):
    """What an argument is held against. `*` in a path stands for every item or member."""

    path: Annotated[
        Path,
        about("Which argument, as `customer.country`; `*` is every item."),
    ]
    op: Annotated[Operator, about("How it is compared.")]
    value: Annotated[
        JsonValue, about("What it is compared with; none for `present` and `absent`.")
    ] = None

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        fault = self._fault("value" in self.model_fields_set)
        if fault:
            message = "{op} takes {fault}"
            raise PydanticCustomError("operand", message, {"op": self.op.value, "fault": fault})
        return self

    def _fault(self, is_given: bool) -> str:  # noqa: FBT001 - of the value
        if self.op in _UNARY:
            return "no value" if self.value is not None else ""
        if not is_given:
            return "a value"
        fits, wanted = _OPERANDS.get(self.op, (_is_anything, ""))
        return "" if fits(self.value) else wanted

    def test(self) -> ArgumentTest:
        """The condition as rules hold it."""
        return ArgumentTest(parts_of(self.path), self.op, self.value)


def _is_anything(value: object) -> bool:
    del value
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_choice(value: object) -> bool:
    return isinstance(value, list) and 0 < len(cast("list[object]", value)) <= _MOST_VALUES


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_PATTERN


def _is_length(value: object) -> bool:
    return isinstance(value, int) and _is_number(value) and value >= 0


_NUMBER: Final = (_is_number, "a number")
_CHOICE: Final = (_is_choice, f"a list of 1 to {_MOST_VALUES} values")
_OPERANDS: Final[Mapping[Operator, tuple[Callable[[object], bool], str]]] = {
    Operator.BELOW: _NUMBER,
    Operator.AT_MOST: _NUMBER,
    Operator.ABOVE: _NUMBER,
    Operator.AT_LEAST: _NUMBER,
    Operator.IN: _CHOICE,
    Operator.NOT_IN: _CHOICE,
    Operator.LIKE: (_is_pattern, f"a pattern of 1 to {_LONGEST_PATTERN} characters, as in EU-*"),
    Operator.LONGER: (_is_length, "a whole number, 0 or more"),
}


class When(Body):
    """One of `windows`, one of `networks`, and all of `arguments`, where there are any."""

    windows: Annotated[
        Annotated[list[Window], Field(max_length=50)],
        about("One of these times must hold; empty: any time."),
    ] = Field(default_factory=list[Window])
    networks: Annotated[
        Annotated[list[Network], Field(max_length=1000)],
        about("One of these ranges of addresses must hold the caller's; empty: any."),
    ] = Field(default_factory=list[str])
    arguments: Annotated[
        Annotated[list[ArgumentCondition], Field(max_length=50)], about("All of these must hold.")
    ] = Field(default_factory=list[ArgumentCondition])


def when_of(rule: Rule) -> When:
    """The conditions of `rule`."""
    return When(
        windows=[_window(one) for one in rule.windows],
        networks=sorted(rule.networks),
        arguments=[_condition(one) for one in rule.arguments],
    )


def _window(window: TimeWindow) -> Window:
    return Window.model_construct(
        days=cast("list[Day]", [_DAYS[day] for day in sorted(window.days)]),
        start=time_of(window.start_minute),
        end=time_of(window.end_minute),
        zone=window.zone,
        not_before=window.not_before,
        not_after=window.not_after,
    )


def _condition(test: ArgumentTest) -> ArgumentCondition:
    return ArgumentCondition.model_construct(
        path=path_of(test.path), op=test.operator, value=test.value
    )


def said_of(window: TimeWindow) -> str:
    """`window` in words."""
    days = ", ".join(_DAYS[day] for day in sorted(window.days)) or "every day"
    said = f"{days} {time_of(window.start_minute)}-{time_of(window.end_minute)} {window.zone}"
    for word, moment in (("from", window.not_before), ("until", window.not_after)):
        if moment is not None:
            said += f" {word} {_shown(moment)}"
    return said


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
