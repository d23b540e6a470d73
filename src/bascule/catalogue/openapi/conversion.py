"""From the bytes of a document to tools: read, admit, generate, remark."""

from dataclasses import replace

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.drafts import Conversion
from bascule.catalogue.openapi.findings import DocumentRejected
from bascule.catalogue.openapi.gate import admit
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.pointers import parse_fragment
from bascule.catalogue.openapi.servers import choose_base_url
from bascule.catalogue.openapi.syntax import Text, read
from bascule.catalogue.openapi.tools import ToolMaker


def convert(document: bytes, *, base_url: str | None = None) -> Conversion:
    """Turn an OpenAPI document (3.0 or 3.1, YAML or JSON) into tools.

    `base_url` overrides the servers of the document. Pure, but not quick: seconds for a
    document of megabytes, so call it from a thread where an event loop runs.

    Raises:
        DocumentRejected: not a document that can become tools; says what to do about it.
    """
    text = read(document)
    try:
        return _convert(text, base_url)
    except DocumentRejected as rejection:
        raise _with_lines(rejection, text) from None


def _convert(text: Text, base_url: str | None) -> Conversion:
    document = Document(text.root)
    admission = admit(document.root)
    server = choose_base_url(document.root, base_url)
    context = Context(document, ignores_ref_siblings=admission.is_3_0)
    maker = ToolMaker(context, server if base_url is None else None)
    tools = tuple(tool for operation in list_operations(context) if (tool := maker.make(operation)))
    warnings = context.remarks.findings(text.lines(context.remarks.pointers()))
    if not tools:
        reason = f" {warnings[0].location}: {warnings[0].message}" if warnings else ""
        raise DocumentRejected(f"No operation can become a tool.{reason}", warnings)
    return Conversion(admission.title, admission.version, server, tools, warnings)


def _with_lines(rejection: DocumentRejected, text: Text) -> DocumentRejected:
    pointers = [parse_fragment(one.location) for one in rejection.findings if one.line is None]
    lines = text.lines(pointers)
    findings = [
        replace(one, line=one.line or lines.get(parse_fragment(one.location)))
        for one in rejection.findings
    ]
    return DocumentRejected(rejection.public, findings)
