"""Whether schemas that did not come with an OpenAPI document can be used."""

from collections.abc import Iterable

from bascule.catalogue.openapi.drafts import ToolDraft
from bascule.gateway.errors import InvalidValue
from bascule.guards.schemas import InputSchemas, SchemaRefused


def require_schemas(tools: Iterable[ToolDraft]) -> None:
    """Pass where the schemas of all `tools` compile.

    Raises:
        InvalidValue: one does not; says which and why.
    """
    schemas = InputSchemas()
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema or {}):
            found = schemas.find(schema)
            if isinstance(found, SchemaRefused):
                raise InvalidValue(
                    f"A schema of {tool.name} cannot be used: {found}. Its author must mend it.",
                    details={"field": tool.name},
                )
