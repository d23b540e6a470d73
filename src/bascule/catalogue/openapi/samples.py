"""Example values as documents give them: `example` and `examples` beside a schema."""

from collections.abc import Iterator

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible


def read_samples(holder: Node, context: Context) -> Iterator[object]:
    """The values in a Parameter or Media Type Object; those kept elsewhere are left out."""
    if "example" in holder.members:
        yield holder.members["example"]
    named = holder.get("examples")
    for _, reference in named.children() if named else ():
        try:
            node = context.document.follow(reference)
        except Unconvertible as problem:
            context.remarks.add(problem.pointer, f"Example left out: {problem.reason}")
            continue
        if "value" in node.members:
            yield node.members["value"]
