"""Results of an upstream, read: what kind each is, and what its caller must see differently."""

from collections.abc import Mapping
from typing import Final, cast

import msgspec

from bascule.gateway.call import Call, JsonObject, Method, Result, ResultKind
from bascule.gateway.tasks import TaskIds
from bascule.upstreams.mcp.failures import failed
from bascule.upstreams.mcp.messages import decode_members
from bascule.upstreams.mcp.questions import read_asked
from bascule.upstreams.mcp.tasks import begun, told

OF_TASKS: Final = frozenset({Method.TASKS_GET, Method.TASKS_UPDATE, Method.TASKS_CANCEL})

_KINDS: Final = {
    None: ResultKind.COMPLETE,
    "complete": ResultKind.COMPLETE,
    "input_required": ResultKind.INPUT_REQUIRED,
    "task": ResultKind.TASK,
}
_decode_type = msgspec.json.Decoder(str | None).decode


class Outcomes:
    """Reads the results of one upstream; their members are passed on as they came."""

    def __init__(self, name: str, task_ids: TaskIds | None) -> None:
        """Without `task_ids` no task can be begun."""
        self._name = name
        self._task_ids = task_ids

    def read(self, raw: msgspec.Raw | bytes) -> Result:
        """Read the `result` of a response.

        Raises:
            UpstreamFailed: it is not an object, or of a type that is not known here.
        """
        members = decode_members(raw)
        if members is None:
            raise failed(self._name, "its result is not a JSON object")
        kind = self._type_of(members)
        body: JsonObject = dict(members)
        if kind not in _KINDS:
            raise failed(self._name, "its result is of a type that is not known here")
        # Of what is no boolean, clients make what they like: on record it is the worse.
        is_error = bytes(members.get("isError", b"false")).strip() not in {b"false", b"null"}
        failure = "the upstream's tool reported an error" if is_error else None
        return Result(body, is_error, failure, _KINDS[kind])

    def named_for_caller(self, call: Call, result: Result) -> Result:
        """The result of `call` with ids of tasks that are the caller's own.

        Raises:
            UpstreamFailed: the upstream began a task where none was allowed, or asks what it
                must not.
        """
        if result.kind is ResultKind.COMPLETE and call.method not in OF_TASKS:
            return result
        members = cast("Mapping[str, msgspec.Raw]", result.body)
        if result.kind is ResultKind.TASK:
            if self._task_ids is None or call.method is not Method.TOOLS_CALL:
                raise failed(self._name, "it began a task where none was allowed")
            body = begun(self._task_ids, call, self._name, members)
            return Result(body, kind=ResultKind.TASK)
        if call.method not in OF_TASKS:
            return result
        self._judge_questions(members)
        return Result(told(call, members))

    def _judge_questions(self, members: Mapping[str, msgspec.Raw]) -> None:
        """A task asks by the rules by which a call does."""
        if "inputRequests" not in members:
            return
        try:
            read_asked({"inputRequests": members["inputRequests"], "requestState": ""})
        except ValueError as fault:
            raise failed(self._name, str(fault)) from None

    def _type_of(self, members: dict[str, msgspec.Raw]) -> str | None:
        try:
            return _decode_type(members.pop("resultType", b"null"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise failed(self._name, "the type of its result is not a text") from None
