"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from bascule.gateway.errors import InvalidValue

Json: Final = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; None is SQL NULL. jsonb keeps neither the order of members nor duplicates."""


def utc_now() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware on the way in, UTC on the way out, to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn to UTC; SQLite then stores the digits without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give UTC back, which SQLite did not store."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Line(TypeDecorator[str]):
    """A text of at most `max_characters`; `noun` names it to whoever sent a longer one.

    Both engines refuse what one of them would: SQLite knows no limits, PostgreSQL no NUL.
    """

    impl = String
    cache_ok = True

    def __init__(self, max_characters: int, noun: str) -> None:
        super().__init__(max_characters)
        self.max_characters = max_characters
        self.noun = noun

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what does not fit."""
        if value is not None and len(value) > self.max_characters:
            raise InvalidValue(
                f"The {self.noun} has {len(value)} characters; "
                f"at most {self.max_characters} are allowed.",
                details={"field": self.noun, "max_characters": self.max_characters},
            )
        return _storable(value, self.noun)


class Name(Line):
    """A short text that sorts by code point on both engines, whatever the server's locale."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL is told to; SQLite does so anyway."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(self.max_characters, collation=collation))


class Prose(TypeDecorator[str]):
    """A text of any length; `noun` names it to whoever sent one that cannot be stored."""

    impl = Text
    cache_ok = True

    def __init__(self, noun: str) -> None:
        super().__init__()
        self.noun = noun

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what PostgreSQL could not hold."""
        return _storable(value, self.noun)


def _storable(value: str | None, noun: str) -> str | None:
    if value is None:
        return None
    if "\0" in value:
        raise InvalidValue(f"The {noun} holds a NUL character. Remove it.", details={"field": noun})
    if not value.isascii() and not _encodable(value):
        raise InvalidValue(f"The {noun} is not valid Unicode.", details={"field": noun})
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
