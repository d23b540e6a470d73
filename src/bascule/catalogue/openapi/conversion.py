"""From a description to tools: read, admit, upgrade, generate, remark."""

from dataclasses import replace

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.drafts import Conversion
from bascule.catalogue.openapi.findings import DocumentRejected, Finding, Remarks
from bascule.catalogue.openapi.gate import SWAGGER_2, Admission, admit
from bascule.catalogue.openapi.library import Library, check_size
from bascule.catalogue.openapi.limits import STANDARD, SchemaLimits
from bascule.catalogue.openapi.metaschema import list_violations
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.pointers import Pointer, to_fragment
from bascule.catalogue.openapi.remote import Fetch
from bascule.catalogue.openapi.review import review
from bascule.catalogue.openapi.servers import MayName, any_host, choose_base_url
from bascule.catalogue.openapi.shapes import as_object
from bascule.catalogue.openapi.sources import DocumentSource
from bascule.catalogue.openapi.swagger2 import upgrade
from bascule.catalogue.openapi.tools import ToolMaker


def convert(
    document: bytes | DocumentSource,
    *,
    base_url: str | None = None,
    fetch: Fetch | None = None,
    limits: SchemaLimits = STANDARD,
    may_name: MayName = any_host,
) -> Conversion:
    """Turn a description (Swagger 2.0, OpenAPI 3.0 to 3.2; YAML or JSON) into tools.

    `base_url` overrides the servers of the document; without either, that of the conversion is
    "" and no tool can be called. `fetch` gives files on other hosts, where the operator allows
    any; `may_name` tells which hosts the document may have servers on. Schemas beyond `limits` are
    shortened: they accept more. Pure but for `fetch`, and not quick: seconds for a document of
    megabytes, so call it from a thread where an event loop runs.

    Raises:
        DocumentRejected: not a document that can become tools; says what to do about it.
    """
    source = DocumentSource("", {"": document}) if isinstance(document, bytes) else document
    check_size(source)
    library = Library(source, fetch)
    try:
        return _convert(library, source.url, base_url, limits, may_name)
    except DocumentRejected as rejection:
        raise library.with_lines(rejection) from None


def _convert(
    library: Library,
    document_url: str,
    base_url: str | None,
    limits: SchemaLimits,
    may_name: MayName,
) -> Conversion:
    root = library.text("").root
    document = Document(root, library)
    admission = admit(document.root)
    context = replace(_context(document, library, admission), limits=limits, may_name=may_name)
    server = choose_base_url(
        context.document.root, base_url, context.remarks, document_url, may_name
    )
    maker = ToolMaker(context, server if base_url is None else None)
    tools = tuple(tool for operation in list_operations(context) if (tool := maker.make(operation)))
    review(context)
    warnings = _warnings(root, admission, context.remarks, library)
    if not tools:
        raise DocumentRejected(f"No operation can become a tool.{_reason(warnings)}", warnings)
    return Conversion(admission.title, admission.version, server, tools, warnings)


def _context(document: Document, library: Library, admission: Admission) -> Context:
    remarks, budget = Remarks(), Budget()
    if admission.dialect == SWAGGER_2:
        upgraded = upgrade(document, remarks, budget)
        document = Document(upgraded.root, library)
        remarks = remarks.at_origins(upgraded.origins.of)
    return Context(document, admission.is_3_0, remarks, budget)


def _reason(warnings: tuple[Finding, ...]) -> str:
    lost = next((one for one in warnings if "eft out" in one.message), None)
    if lost is None:
        return " Its paths have none that can be called."
    return f" {lost.location[:200]}: {lost.message}"


def _warnings(
    root: object, admission: Admission, remarks: Remarks, library: Library
) -> tuple[Finding, ...]:
    """What was remarked, then what the official schema says of places not remarked on."""
    remarked = set(remarks.pointers())
    violations = [
        (pointer, f"Not as OpenAPI {admission.dialect} has it: {message}.")
        for pointer, message in list_violations(as_object(root) or {}, admission.dialect)
        if not _is_covered(pointer, remarked)
    ]
    lines = library.lines([*remarked, *(pointer for pointer, _ in violations)])
    listed = (Finding(to_fragment(one), text, lines.get(one)) for one, text in violations)
    return (*remarks.findings(lines), *listed)


def _is_covered(pointer: Pointer, remarked: set[Pointer]) -> bool:
    """Is there a remark at the place, or on a part that it belongs to?"""
    return any(pointer[:length] in remarked for length in range(1, len(pointer) + 1))
