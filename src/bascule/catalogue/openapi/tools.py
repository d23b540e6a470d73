"""One operation as one tool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import jsonschema_rs

from bascule.catalogue.openapi.arguments import Arguments, merge
from bascule.catalogue.openapi.bodies import Body, read_body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.catalogue.openapi.examples import assemble
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.naming import Names, clean, name_by_path
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.parameters import list_parameters
from bascule.catalogue.openapi.responses import NOTHING, Output, read_output
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.servers import first_server
from bascule.catalogue.openapi.shapes import as_text
from bascule.catalogue.openapi.validators import compile_schema
from bascule.catalogue.openapi.visibility import Direction
from bascule.catalogue.openapi.wording import LONGEST_DESCRIPTION, LONGEST_TITLE, shorten
from bascule.gateway.tool import RestSource, RiskLevel

_RISKS: Final = {
    "GET": RiskLevel.READ, "HEAD": RiskLevel.READ, "OPTIONS": RiskLevel.READ,
    "POST": RiskLevel.WRITE, "PUT": RiskLevel.WRITE, "PATCH": RiskLevel.WRITE,
    "DELETE": RiskLevel.PRIVILEGED,
}  # fmt: skip
# RFC 9110 section 9.2.2.
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_RISK_EXTENSION: Final = "x-bascule-risk"
_IDEMPOTENT_EXTENSION: Final = "x-bascule-idempotent"
_MOST_TAGS: Final = 20


@dataclass(slots=True)
class ToolMaker:
    """Makes tools of the operations of one document, each under a name of its own.

    An operation that lives on another server than `base_url` is left out, unless the operator
    chose the base URL (`base_url` is None then).
    """

    context: Context
    base_url: str | None
    _inputs: Schemas = field(init=False)
    _outputs: Schemas = field(init=False)
    _names: Names = field(init=False, default_factory=Names)

    def __post_init__(self) -> None:
        self._inputs = Schemas(Direction.INPUT, self.context)
        self._outputs = Schemas(Direction.OUTPUT, self.context)

    def make(self, operation: Operation) -> ToolDraft | None:
        """The tool; None, with a remark, where the operation cannot become one."""
        try:
            self._refuse_other_servers(operation)
            parameters = list_parameters(operation, self.context)
            body = read_body(operation, self.context)
            arguments = merge(operation, parameters, body, self._inputs, self.context)
            validator = _compile_input(operation, arguments)
        except Unconvertible as problem:
            self.context.remarks.add(operation.node.pointer, f"Left out: {problem.reason}")
            return None
        output = self._output(operation)
        return self._draft(operation, arguments, output, self._examples(arguments, body, validator))

    def _examples(
        self, arguments: Arguments, body: Body | None, validator: jsonschema_rs.Validator
    ) -> tuple[dict[str, object], ...]:
        return assemble(arguments, body, validator, self.context)

    def _draft(
        self, operation: Operation, arguments: Arguments, output: Output,
        examples: tuple[dict[str, object], ...],
    ) -> ToolDraft:  # fmt: skip
        node = operation.node
        summary = node.text("summary") or operation.item.text("summary")
        prose = node.text("description") or summary or f"{operation.method} {operation.path}"
        return ToolDraft(
            name=self._name(operation),
            title=shorten(summary, LONGEST_TITLE) if summary else None,
            description=shorten(prose, LONGEST_DESCRIPTION),
            input_schema=arguments.schema,
            output_schema=output.schema,
            source=RestSource(
                upstream="",
                method=operation.method,
                path=operation.path,
                parameters=arguments.parameters,
                body=arguments.body,
                wraps_result=output.wraps,
            ),
            risk=self._risk(operation),
            tags=tuple(dict.fromkeys(_tags(operation)))[:_MOST_TAGS],
            examples=examples,
            idempotent=self._is_idempotent(operation),
            deprecated=node.flag("deprecated") is True,
        )

    def _name(self, operation: Operation) -> str:
        identifier = operation.node.text("operationId")
        wish = clean(identifier or "") or name_by_path(operation.method, operation.path)
        name = self._names.take(wish or operation.method.lower())
        if name != wish:
            self.context.remarks.add(
                operation.node.pointer, f"Named {name!r}: {wish!r} is taken by another operation."
            )
        return name

    def _risk(self, operation: Operation) -> RiskLevel:
        default = _RISKS[operation.method]
        stated = operation.node.members.get(_RISK_EXTENSION, default)
        if stated in list(RiskLevel):
            return RiskLevel(str(stated))
        self.context.remarks.add(
            (*operation.node.pointer, _RISK_EXTENSION),
            f"The risk must be read, write or privileged; {default} is assumed.",
        )
        return default

    def _is_idempotent(self, operation: Operation) -> bool:
        default = operation.method in _IDEMPOTENT
        stated = operation.node.members.get(_IDEMPOTENT_EXTENSION, default)
        if isinstance(stated, bool):
            return stated
        self.context.remarks.add(
            (*operation.node.pointer, _IDEMPOTENT_EXTENSION),
            f"This must be true or false; {str(default).lower()} is assumed.",
        )
        return default

    def _output(self, operation: Operation) -> Output:
        output = read_output(operation, self._outputs, self.context)
        if output.schema is None:
            return NOTHING
        try:
            compile_schema(output.schema)
        except ValueError as error:
            self.context.remarks.add(
                operation.node.pointer, f"No output schema: it is not usable ({error})."
            )
            return NOTHING
        return output

    def _refuse_other_servers(self, operation: Operation) -> None:
        if self.base_url is None:
            return
        for owner in (operation.node, operation.item):
            server = first_server(owner)
            if server is None:
                continue
            if server.rstrip("/") != self.base_url:
                raise Unconvertible(
                    owner.pointer,
                    f"It is served at {server[:200]}, not at {self.base_url}. Import it on its "
                    "own with that base URL.",
                )
            return


def _compile_input(operation: Operation, arguments: Arguments) -> jsonschema_rs.Validator:
    try:
        return compile_schema(arguments.schema)
    except ValueError as error:
        raise Unconvertible(
            operation.node.pointer, f"its input schema is not usable ({error})."
        ) from None


def _tags(operation: Operation) -> Iterator[str]:
    tags = operation.node.get("tags")
    for tag in tags.items() if tags else ():
        text = as_text(tag.value)
        if text:
            yield text
