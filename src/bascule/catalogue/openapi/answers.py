"""Examples of answers, held against what the document says of answers."""

from collections.abc import Iterator
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.responses import Output
from bascule.catalogue.openapi.samples import read_samples
from bascule.catalogue.openapi.validators import compile_checked, complaint

_MOST_SAMPLES: Final = 5


def check_answers(operation: Operation, output: Output, context: Context) -> None:
    """Remark on examples that the output schema refuses: one of the two is wrong.

    A tool whose answers are not as described fails where answers are checked.
    """
    if output.schema is None:
        return
    validator = None
    for media in _media(operation, context):
        for count, sample in enumerate(read_samples(media, context)):
            if count >= _MOST_SAMPLES:
                break
            validator = validator or compile_checked(output.schema)
            value = {"result": sample} if output.wraps else sample
            if validator.is_valid(value):
                continue
            error = next(validator.iter_errors(value), None)
            if error is not None:
                context.remarks.add(
                    media.pointer, f"The example of an answer does not fit, {complaint(error)}."
                )


def _media(operation: Operation, context: Context) -> Iterator[Node]:
    responses = operation.node.get("responses")
    for status, reference in responses.children() if responses else ():
        if not status.startswith("2"):
            continue
        try:
            content = context.document.follow(reference).get("content")
        except Unconvertible:
            continue  # said where the output schema is made
        for media_type, media in content.children() if content else ():
            if media_type.partition(";")[0].strip().lower().endswith("json"):
                yield media
