"""One operation as one tool."""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from bascule.catalogue.openapi.answers import check_answers
from bascule.catalogue.openapi.arguments import Arguments, merge
from bascule.catalogue.openapi.bodies import read_body
from bascule.catalogue.openapi.characters import visible
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.openapi.examples import assemble
from bascule.catalogue.openapi.extensions import (
    cache_seconds_of,
    domain_of,
    is_idempotent,
    owner_of,
    risk_of,
    timeout_seconds_of,
)
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.labels import Labels
from bascule.catalogue.openapi.naming import LONGEST_TOOL_NAME, Names, clean, name_by_path
from bascule.catalogue.openapi.negotiation import negotiate
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.parameters import list_parameters
from bascule.catalogue.openapi.responses import Output, read_output
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.servers import own_server
from bascule.catalogue.openapi.visibility import Direction
from bascule.catalogue.openapi.wording import (
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    heading,
    shorten,
    spoken,
)
from bascule.gateway.tool import RestSource

_NEAR: Final = re.compile(r"[A-Za-z0-9_./ :{}-]{1,64}")
"""What becomes a name with nobody surprised: `repos/get` is `repos_get`."""


@dataclass(slots=True)
class ToolMaker:
    """Makes tools of the operations of one document, each under a name of its own.

    An operation that lives on another server than `base_url` says so, unless the operator chose
    the base URL for all (`base_url` is None then).
    """

    context: Context
    base_url: str | None
    _inputs: Schemas = field(init=False)
    _outputs: Schemas = field(init=False)
    _labels: Labels = field(init=False)
    _names: Names = field(init=False, default_factory=Names)

    def __post_init__(self) -> None:
        self._inputs = Schemas(Direction.INPUT, self.context)
        self._labels = Labels(self.context)
        self._outputs = Schemas(Direction.OUTPUT, self.context)

    def make(self, operation: Operation) -> ToolDraft | None:
        """The tool; None, with a remark, where the operation cannot become one."""
        try:
            server = self._own_server(operation)
            parameters = list_parameters(operation, self.context)
            body = read_body(operation, self.context)
        except Unconvertible as problem:
            self.context.remarks.add(operation.node.pointer, f"Left out: {problem.reason}")
            return None
        arguments = merge(operation, parameters, body, self._inputs, self.context)
        output = read_output(operation, self._outputs, self.context)
        check_answers(operation, output, self.context)
        examples = assemble(arguments, body, self.context)
        draft = self._draft(operation, arguments, output, examples)
        return replace(draft, base_url=server) if server else draft

    def _draft(
        self, operation: Operation, arguments: Arguments, output: Output,
        examples: tuple[dict[str, object], ...],
    ) -> ToolDraft:  # fmt: skip
        context = self.context
        risk = risk_of(operation, context)
        asked = negotiate(operation, context)
        title, description = self._words(operation)
        return ToolDraft(
            name=self._name(operation),
            title=title,
            description=description,
            input_schema=arguments.schema,
            output_schema=output.schema,
            source=RestSource(
                upstream="",
                method=operation.method,
                path=operation.path,
                parameters=arguments.parameters,
                body=arguments.body,
                wraps_result=output.wraps,
                accept=asked.accept,
                streams=asked.streams,
            ),
            risk=risk,
            tags=self._labels.tags_of(operation),
            owner=owner_of(operation, context),
            domain=domain_of(operation, context),
            examples=examples,
            idempotent=is_idempotent(operation, arguments.parameters, context),
            deprecated=operation.node.flag("deprecated") is True,
            cache_seconds=cache_seconds_of(operation, risk, context),
            timeout_seconds=timeout_seconds_of(operation, context),
            security=self._labels.security_of(operation),
        )

    def _words(self, operation: Operation) -> tuple[str | None, str]:
        """Title and description."""
        node, item = operation.node, operation.item
        summary = _spoken(node, "summary", self.context) or _spoken(item, "summary", self.context)
        prose = _spoken(node, "description", self.context)
        prose = prose or summary or _spoken(item, "description", self.context)
        prose = prose or visible(f"{operation.method} {operation.path}")
        title = shorten(heading(summary), LONGEST_TITLE) if summary else None
        return title, shorten(prose, LONGEST_DESCRIPTION)

    def _name(self, operation: Operation) -> str:
        identifier = operation.node.text("operationId") or ""
        wish = clean(identifier) or name_by_path(operation.method, operation.path)
        wish = wish or clean(operation.method.lower()) or "operation"
        name = self._names.take(wish)
        at = (*operation.node.pointer, "operationId") if identifier else operation.node.pointer
        if name != wish:
            self.context.remarks.add(at, f"Named {name!r}: {wish!r} is taken by another operation.")
        elif identifier and name != identifier and not _NEAR.fullmatch(identifier):
            self.context.remarks.add(
                at, f"Named {name!r}: the operationId is longer than {LONGEST_TOOL_NAME} "
                "characters, or has some that names may not have.",
            )  # fmt: skip
        return name

    def _own_server(self, operation: Operation) -> str:
        """The server of the operation where it is not that of the document."""
        if self.base_url is None:
            return ""
        return own_server(
            operation.node,
            operation.item,
            self.base_url,
            self.context.remarks,
            self.context.may_name,
        )


def _spoken(node: Node, member: str, context: Context) -> str | None:
    text = node.text(member)
    if text is None:
        return None
    at = Node(text, (*node.pointer, member))
    return spoken(text, at, context).strip() or None
