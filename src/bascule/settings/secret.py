"""Secrets among the settings: usable in full, shown without what unlocks anything."""

import re
from typing import Final

from pydantic import Secret

from bascule.telemetry.redaction import is_secret_name

MASK: Final = "********"

# The user information ends at the last "@": drivers accept an unescaped "/" or "@" before it.
_URL: Final = re.compile(
    r"(?P<scheme>[a-z0-9+.-]*://)(?:(?P<user>[^:@]*)(?::(?P<password>.*))?@)?(?P<rest>[^@]*)",
    re.IGNORECASE | re.DOTALL,
)


class ConnectionUrl(Secret[str]):
    """A URL that may hold a password; `get_secret_value` gives it whole.

    Printed, logged or serialised it is masked by `masked`.
    """

    def _display(self) -> str:
        return masked(self._secret_value)


class SealingKey(Secret[str]):
    """A key of 32 bytes in hexadecimal digits; nothing of it is shown."""

    def _display(self) -> str:
        return MASK

    @property
    def key(self) -> bytes:
        """The key itself."""
        return bytes.fromhex(self._secret_value)


class Password(Secret[str]):
    """A text of which nothing is shown; empty where none is given."""

    def _display(self) -> str:
        return MASK if self._secret_value else ""


def masked(url: str) -> str:
    """`url` without its password and without query parameters that are named like secrets.

    Text that is no URL is masked whole: nobody knows which part of it is secret.
    """
    if not url:
        return ""
    parts = _URL.fullmatch(url)
    if parts is None:
        return MASK
    before = parts["scheme"]
    if parts["user"] is not None:
        before += parts["user"]
        if parts["password"] is not None:
            before += f":{MASK}" if parts["password"] else ":"
        before += "@"
    return before + _masked_query(parts["rest"])


def holds_secret(text: str) -> bool:
    """Whether `text` is a URL that carries a password or a secret query parameter."""
    return _URL.fullmatch(text) is not None and MASK in masked(text)


def _masked_query(rest: str) -> str:
    address, mark, query = rest.partition("?")
    return address + mark + "&".join(_masked_parameter(pair) for pair in query.split("&"))


def _masked_parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return f"{name}={MASK}" if equals and value and is_secret_name(name) else pair
