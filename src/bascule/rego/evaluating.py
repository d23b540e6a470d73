"""Documents as the embedded engine holds them. Only a worker imports it: see `worker`."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast

import msgspec
import regorus  # pyright: ignore[reportMissingTypeStubs]

from bascule.gateway.rego import PACKAGE
from bascule.rego.complaints import why_of
from bascule.rego.messages import MOST_REASON
from bascule.rego.supplied import supplied

_ENTRY: Final = "bascule_entry"
_ENTRY_MODULE: Final = (
    f"package {_ENTRY}\n"
    f"answer := [[a | a := data.{PACKAGE}.allow], [r | r := data.{PACKAGE}.reason]]\n"
    "warm := 1\n"
)
"""Asks for both at once: what is undefined is an empty array, not a text that says so."""


class Unusable(Exception):
    """The document or the question has no answer; the text says why, for its author."""


class Engine(Protocol):
    """What is used of `regorus.Engine`, which has no types of its own."""

    def add_policy(self, path: str, rego: str) -> str: ...
    def add_data_json(self, data: str) -> None: ...
    def add_extension(self, path: str, nargs: int, extension: object) -> None: ...
    def set_policy_length_config(
        self, *, max_col: int, max_file_bytes: int, max_lines: int
    ) -> None: ...
    def set_gather_prints(self, b: bool) -> None: ...  # noqa: FBT001 - theirs
    def take_prints(self) -> list[str]: ...
    def set_input_json(self, input: str) -> None: ...  # noqa: A002 - theirs
    def eval_rule(self, rule: str) -> Any: ...
    def eval_query_as_json(self, query: str) -> str: ...
    def get_ast_as_json(self) -> str: ...
    def clone(self) -> "Engine": ...


class _Moment(msgspec.Struct):
    time_ns: int


class _Expression(msgspec.Struct):
    value: msgspec.Raw


class _Row(msgspec.Struct):
    expressions: list[_Expression]


class _Result(msgspec.Struct):
    result: list[_Row] = []


class Document:
    """Modules and data, ready to be asked.

    It may be asked any number of times, of one thread.
    """

    def __init__(self, modules: Mapping[str, str], data: str) -> None:
        """Raises Unusable where `modules` or `data`, a JSON text, cannot be loaded."""
        self._given = b"{}"
        self.engine = engine = fresh_engine()
        engine.add_extension("time.now_ns", 0, self._now)
        try:
            for name in sorted(modules):
                engine.add_policy(name, modules[name])
            engine.add_policy(f"{_ENTRY}.rego", _ENTRY_MODULE)
            engine.add_data_json(data)
            # Made ready once, since clones of it are all that is asked.
            engine.set_input_json("{}")
            engine.eval_rule(_WARM)
        except RuntimeError as error:
            raise Unusable(why_of(error)) from None

    def decide(self, given: bytes) -> tuple[bool, str]:
        """Whether `given` is allowed, and the reason; Unusable where that cannot be said."""
        allowed, reasons = self._asked(given, lambda engine: engine.eval_rule(_ANSWER))
        reason = reasons[0] if reasons else ""
        # Not "==": 1 is equal to True.
        is_allowed = len(allowed) == 1 and allowed[0] is True
        return is_allowed, reason[:MOST_REASON] if isinstance(reason, str) else ""

    def values(self, query: str, given: bytes) -> bytes:
        """The values of `query` as a JSON array; Unusable where it fails."""
        text = self._asked(given, lambda engine: engine.eval_query_as_json(query))
        rows = msgspec.json.decode(text, type=_Result).result
        values = [bytes(one.value) for row in rows for one in row.expressions]
        return b"[" + b",".join(one for one in values if one != b'"<undefined>"') + b"]"

    def _asked(self, given: bytes, ask: Callable[[Engine], Any]) -> Any:
        self._given = given
        # An engine that failed on one input takes rules for undefined on the next ones: with
        # `allow if not denied` that would let them through. So each has an engine of its own.
        engine = self.engine.clone()
        try:
            engine.set_input_json(given.decode())
            return ask(engine)
        except (RuntimeError, UnicodeDecodeError, MemoryError, TypeError) as error:
            raise Unusable(why_of(error)) from None
        finally:
            engine.take_prints()

    def _now(self) -> int:
        """The time is that of the call, so that an answer can be remembered and replayed."""
        try:
            return msgspec.json.decode(self._given, type=_Moment).time_ns
        except msgspec.MsgspecError:
            raise ValueError(
                "time.now_ns is the input's time_ns, and this input has none"
            ) from None


_MOST: Final = 1024 * 1024
_ANSWER: Final = f"data.{_ENTRY}.answer"
_WARM: Final = f"data.{_ENTRY}.warm"


def fresh_engine() -> Engine:
    """An engine with the functions that are supplied here."""
    engine = cast("Engine", cast("Any", regorus).Engine())
    engine.set_gather_prints(True)
    # OPA has no such bounds; the size of a document has others.
    engine.set_policy_length_config(max_col=_MOST, max_file_bytes=_MOST, max_lines=_MOST)
    for name, (arguments, function) in supplied().items():
        engine.add_extension(name, arguments, function)
    return engine
