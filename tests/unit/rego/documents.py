"""Documents for tests: sound ones, and all sorts of wicked ones."""

import hashlib
from typing import Final

from bascule.gateway.rego import RegoDocument

MIB: Final = 1024 * 1024

_HEAD: Final = "package bascule.authz\n"
_ENDLESS: Final = (
    "allow if count([1 | some i in numbers.range(0, 100000); "
    "some j in numbers.range(0, 100000); i + j < 0]) > 5"
)
_BOMB: Final = (
    'allow if count({s | some i in numbers.range(0, 9000000); s := sprintf("%0900d", [i])}) > 5'
)


def document(rules: str, data: str = "{}") -> RegoDocument:
    """A document with `rules` in the package that decides."""
    digest = hashlib.sha256(f"{rules}\0{data}".encode()).hexdigest()
    return RegoDocument(digest, {"authz.rego": _HEAD + rules + "\n"}, data)


def sound() -> RegoDocument:
    """Allows `ann`, and gives everybody else a reason."""
    return document('allow if input.user == "ann"\nreason := "not ann" if not allow')


def endless(mark: str = "") -> RegoDocument:
    """Takes longer than anybody waits; with `mark` another such document."""
    return document(f"{_ENDLESS}\n# {mark}")


def bottomless() -> RegoDocument:
    """A function that calls itself without end."""
    return document("f(x) := f(x + 1)\nallow if f(1)")


def bomb() -> RegoDocument:
    """Takes all memory that it is given."""
    return document(_BOMB)


def heavy(mark: str = "") -> RegoDocument:
    """With 10 MiB of data."""
    row = '"%07d":{"roles":["reader","writer"],"team":"%s"}'
    rows = ",".join(row % (number, mark or "blue") for number in range(190_000))
    return document("allow if data.users[input.user].team == input.team", f'{{"users":{{{rows}}}}}')
