"""Passwords of this installation's own accounts: how they are kept, proved, and which are refused.

Argon2id with the parameters of RFC 9106 for little memory (section 4, the second option), which
are above what OWASP asks for. Rules as in NIST SP 800-63B-4, section 3.1.1.2: a length, a list of
what everybody tries first, and nothing about kinds of characters.
"""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import ClassVar, Final, TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from bascule.gateway.errors import ErrorCode, GatewayError

MOST_CHARACTERS: Final = 256
LEAST_CHARACTERS: Final = 12
_FEWEST_DIFFERENT: Final = 4
_APPENDED: Final = re.compile(r"[\W\d_]{0,6}$")
_NO_LETTER: Final = re.compile(r"[\W\d_]+")
_REPEATED: Final = re.compile(r"(.+?)\1*")
_THREADS: Final = 2
_MOST_WAITING: Final = 64
_Made = TypeVar("_Made")


class TooManyPasswords(GatewayError):
    """More passwords wait to be checked than this process takes on; nothing was checked."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE


class Match(Enum):
    """Whether a password is the one that a hash was made of; STALE: yes, and hash it anew."""

    NO = "no"
    YES = "yes"
    STALE = "stale"


class Passwords:
    """Makes and checks hashes in threads of its own, so many at once and no more.

    A hash costs 64 MiB and some ten milliseconds of several cores. Where `most_waiting` wait
    already, `TooManyPasswords` is raised.
    """

    def __init__(
        self, parameters: Parameters = RFC_9106_LOW_MEMORY, *, most_waiting: int = _MOST_WAITING
    ) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._threads = ThreadPoolExecutor(_THREADS, "passwords")
        self._most_waiting = most_waiting
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What to keep of `password`, in PHC form."""
        return await self._run(lambda: self._hasher.hash(_prepared(password)))

    async def matches(self, password: str, kept: str | None) -> Match:
        """Hold `password` against what is kept; without that, take as long to say no."""
        return await self._run(lambda: self._compare(password, kept))

    def close(self) -> None:
        """End the threads, once what they do is done."""
        self._threads.shutdown()

    async def _run(self, work: Callable[[], _Made]) -> _Made:
        if self._waiting >= self._most_waiting:
            raise TooManyPasswords(
                "Too many people sign in at this moment. Try again in some seconds."
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _compare(self, password: str, kept: str | None) -> Match:
        nobodys = self._nobodys or self._hasher.hash("\0nobody")
        self._nobodys = nobodys
        if len(password) > MOST_CHARACTERS or not _encodable(password):
            password, kept = "", None
        try:
            self._hasher.verify(kept or nobodys, _prepared(password))
        except (VerificationError, InvalidHashError):
            return Match.NO
        if not kept:
            return Match.NO
        return Match.STALE if self._hasher.check_needs_rehash(kept) else Match.YES


def weakness(password: str, account: str, least_characters: int = LEAST_CHARACTERS) -> str | None:
    """What is wrong with `password` for `account`, as a sentence; None for nothing."""
    length = len(unicodedata.normalize("NFKC", password))
    if length < least_characters:
        return f"A password has at least {least_characters} characters; this one has {length}."
    if len(password) > MOST_CHARACTERS or length > MOST_CHARACTERS:
        return f"A password has at most {MOST_CHARACTERS} characters."
    if not _encodable(password):
        return "This password holds something that is not text."
    folded = unicodedata.normalize("NFKC", password).casefold()
    if _is_name(folded, account):
        return "This password is made of the account's own name. Choose another one."
    if len(set(folded)) < _FEWEST_DIFFERENT or _is_common(folded):
        return "This password is among the first that anybody tries. Choose another one."
    return None


def _prepared(password: str) -> str:
    """The same text, however a keyboard composes its characters (NIST SP 800-63B-4)."""
    return unicodedata.normalize("NFKC", password)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_name(folded: str, account: str) -> bool:
    name = _NO_LETTER.sub("", account.casefold())
    letters = _NO_LETTER.sub("", folded)
    return folded == account.casefold() or (letters != "" and _unit(letters) == _unit(name))


def _is_common(folded: str) -> bool:
    core = _APPENDED.sub("", folded)
    return not {folded, core, _unit(core)}.isdisjoint(_commonest())


def _unit(text: str) -> str:
    """What `text` is repetitions of."""
    found = _REPEATED.fullmatch(text)
    return found[1] if found else text


@cache
def _commonest() -> frozenset[str]:
    return frozenset(files("bascule.identity").joinpath("commonest.txt").read_text().split())
