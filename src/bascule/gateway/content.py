"""What a call brought, in bytes: what the digest in its record stands for."""

from collections.abc import Iterator

import msgspec

from bascule.gateway.call import NOTHING_MORE, Call, More

_NO_ARGUMENTS = b"{}"


def content_of(call: Call) -> bytes:
    """The arguments as they came; where more came, a JSON object of all that says what was meant.

    Its members, where present and in this order: `arguments`, `uri`, `taskId`, `ref`, `argument`,
    `context`, `notifications`, `inputResponses`.
    """
    if call.more is NOTHING_MORE:
        return call.raw_arguments
    given: dict[str, object] = dict(_members_of(call.more))
    if not given:
        return call.raw_arguments
    if call.raw_arguments != _NO_ARGUMENTS:
        given = {"arguments": msgspec.Raw(call.raw_arguments), **given}
    return msgspec.json.encode(given)


def _members_of(more: More) -> Iterator[tuple[str, object]]:
    if more.uri:
        yield "uri", more.uri
    if more.task_id:
        yield "taskId", more.task_id
    for name, raw in (
        ("ref", more.ref),
        ("argument", more.argument),
        ("context", more.context),
    ):
        if raw is not None:
            yield name, msgspec.Raw(raw)
    if more.wanted is not None:
        yield "notifications", more.wanted
    if more.input_responses is not None:
        yield "inputResponses", msgspec.Raw(more.input_responses)
