"""What can be wrong with the database, named so that an operator knows what to do next.

No message here ever holds a password: a database is named by its file, or by host and name.
"""

from bascule.gateway.errors import ErrorCode, GatewayError


class StorageError(GatewayError):
    """The database could not do what it was asked; nothing of the change was kept."""

    error = ErrorCode.DATABASE


class DatabaseUnreachable(StorageError):
    """No server answered, or it went away."""


class AccessRefused(StorageError):
    """The server answered and turned us away: password, user or database name."""


class DatabaseUnusable(StorageError):
    """The address is not one we can use, or the file cannot be opened or written."""


class DatabaseLocked(StorageError):
    """Another writer held on for too long; the same change may work a moment later."""


class DatabaseDamaged(StorageError):
    """The file is not a database, or no longer a whole one."""


class StorageExhausted(StorageError):
    """No room: the disk is full, or every connection is in use."""


class StatementTimedOut(StorageError):
    """A statement ran longer than the configured limit and was cancelled."""


class SchemaMissing(StorageError):
    """The tables are absent or older than this code."""


class SchemaTooNew(StorageError):
    """The tables were made by a later release."""
