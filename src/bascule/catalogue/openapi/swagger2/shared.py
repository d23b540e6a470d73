"""What every step of one upgrade shares."""

from dataclasses import dataclass, field

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer, file_of
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_text
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade


@dataclass(frozen=True, slots=True)
class Shared:
    """The document as it was read, its media types, and what is noted on the way.

    `responses` are those that were referred to, under `response_names`.
    """

    context: Context
    schemas: SchemaUpgrade
    origins: Origins
    consumes: tuple[str, ...]
    produces: tuple[str, ...]
    responses: JsonObject = field(default_factory=dict[str, object])
    response_names: dict[tuple[Pointer, tuple[str, ...]], str] = field(
        default_factory=dict[tuple[Pointer, tuple[str, ...]], str]
    )

    def follow(self, node: Node) -> Node | None:
        """What `node` refers to; None, with a remark, where that is nothing."""
        try:
            return self.context.document.follow(node)
        except Unconvertible as problem:
            if file_of(node.pointer):
                self.context.remarks.add(problem.pointer, problem.reason)
            return None

    def note(self, place: Pointer, original: Node) -> None:
        """`place` of the new document came from `original`."""
        self.origins.note(place, original.pointer)


def media_types(owner: Node, member: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """The media types in `consumes` or `produces`; `default` where the owner does not say."""
    listed = as_list(owner.members.get(member))
    if listed is None:
        return default
    return tuple(dict.fromkeys(text for one in listed if (text := as_text(one))))


def unresolved(node: Node) -> JsonObject:
    """A reference that leads nowhere, such that it is reported where it is used."""
    # What stands in another file would be looked up from the wrong place.
    return {"$ref": "#/nowhere" if file_of(node.pointer) else node.members["$ref"]}
