"""Opaque pagination cursors: where the next page starts, nothing else.

Source: specification 2026-07-28, server/utilities/pagination.
"""

import base64


def encode_cursor(last_name: str) -> str:
    """A cursor that continues after the item called `last_name`."""
    return base64.urlsafe_b64encode(last_name.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The name a cursor continues after; the empty cursor is the start.

    Raises:
        ValueError: not a cursor this server gave out.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:  # binascii.Error and UnicodeError are ValueErrors
        raise ValueError("not a cursor of this server; start again without one") from None
