"""`/api/admin/openapi`."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile

from bascule.api.access import ControlPlane, ServerManager, ToolWriter
from bascule.api.names import BundleName, Name, Tags
from bascule.api.resources.specs import decisions, service
from bascule.api.resources.specs.descriptors import GrpcOrder
from bascule.api.resources.specs.fetching import too_large
from bascule.api.resources.specs.labels import Labels
from bascule.api.resources.specs.modules import ModuleOrder
from bascule.api.resources.specs.plugged import PluginOrder
from bascule.api.resources.specs.schemas import (
    ConnectorImport,
    Import,
    ImportDetail,
    ImportDiff,
    ImportList,
    ImportReport,
)
from bascule.gateway.errors import MissingField
from bascule.storage.repositories.imports import ImportStatus

FORM_BYTES: Final = 1_048_576
"""What the form around a document may take."""

router = APIRouter(prefix="/api/admin/openapi", tags=["openapi"])

Hosts = Annotated[
    list[str],
    Form(
        max_length=50,
        description="Hosts whose files the document may refer to; repeated, or with commas.",
    ),
]


BundleId = Annotated[BundleName, Form(description="Name of a bundle; made if missing.")]
AutoPublish = Annotated[bool, Form(description="Publish at once; else drafts.")]
DryRun = Annotated[bool, Form(description="Report only; change nothing.")]
Owner = Annotated[Name | None, Form(description="Owner of tools that the document gives none.")]
Domain = Annotated[Name | None, Form(description="Domain of tools that the document gives none.")]
TagList = Annotated[
    Tags, Form(description="Tags of tools that the document gives none; the field is repeated.")
]


@router.post("")
async def import_openapi(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: BundleId,
    file: Annotated[
        UploadFile | None, File(description="A document, or an archive of one.")
    ] = None,
    url: Annotated[
        str | None,
        Form(max_length=2000, description="Where the document is; with a file, where it is from."),
    ] = None,
    auto_publish: AutoPublish = False,
    dry_run: DryRun = False,
    base_url: Annotated[
        str | None, Form(max_length=2000, description="Where the API is; default: its server.")
    ] = None,
    allow_hosts: Hosts = [],  # noqa: B006 - FastAPI copies it
    remove_missing: Annotated[
        bool, Form(description="Switch off tools that the document has no more.")
    ] = False,
    owner: Owner = None,
    domain: Domain = None,
    tags: TagList = [],  # noqa: B006 - FastAPI copies it
) -> ImportReport:
    """Import an OpenAPI document: each operation becomes a tool.

    What is in force is compared with; without `auto_publish` it stays, and drafts are made.
    """
    if file is None and url is None:
        raise MissingField("body.file: send a file, or the url of one.", details={"field": "file"})
    if file is not None and (file.size or 0) > control.imports.max_document_bytes:
        raise too_large(control.imports)
    order = service.ImportOrder(
        bundle=bundle_id,
        publish=auto_publish,
        dry_run=dry_run,
        document=None if file is None else await file.read(),
        filename=(file and file.filename) or "",
        url=url,
        base_url=base_url,
        allow_hosts=tuple(
            host for given in allow_hosts for one in given.split(",") if (host := one.strip())
        ),
        remove_missing=remove_missing,
        labels=Labels(owner, domain, tuple(tags)),
    )
    return await service.import_document(control, caller, order)


@router.get("")
async def list_imports(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: Annotated[str | None, Query(description="Name of a bundle.")] = None,
    status: ImportStatus | None = None,
    page: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> ImportList:
    """List imports, the latest first."""
    return await decisions.list_imports(control, caller, bundle_id, status, (page, limit))


@router.get("/{import_id}")
async def get_import(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> ImportDetail:
    """Show an import with its remarks, tools and changes."""
    return await decisions.get_import(control, caller, import_id)


@router.get("/{import_id}/diff")
async def get_diff(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> ImportDiff:
    """Show what an import changed, or would change."""
    return await decisions.get_diff(control, caller, import_id)


@router.get("/{import_id}/document", response_class=Response)
async def get_document(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> Response:
    """Give the document as it was handed over."""
    content, _ = await decisions.get_document(control, caller, import_id)
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/{import_id}/publish")
async def publish(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> Import:
    """Put a draft in force, all of its tools at once."""
    return await decisions.publish(control, caller, import_id)


@router.post("/{import_id}/discard")
async def discard(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> Import:
    """Give a draft up; its versions are removed."""
    return await decisions.discard(control, caller, import_id)


@router.post("/{import_id}/rollback")
async def roll_back(control: ControlPlane, caller: ToolWriter, import_id: UUID) -> Import:
    """Put in force what was before the import: the versions of its tools, and the address."""
    return await decisions.roll_back(control, caller, import_id)


grpc = APIRouter(prefix="/api/admin/grpc", tags=["grpc"])


@grpc.post("")
async def import_grpc(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: BundleId,
    target: Annotated[str, Form(max_length=2000, description="grpc://host:port, or grpcs://.")],
    file: Annotated[
        UploadFile | None,
        File(description="A FileDescriptorSet; without it the service is asked (reflection)."),
    ] = None,
    services: Annotated[
        list[str], Form(max_length=200, description="Full names of services; default: all.")
    ] = [],  # noqa: B006 - FastAPI copies it
    auto_publish: AutoPublish = False,
    dry_run: DryRun = False,
    remove_missing: Annotated[
        bool, Form(description="Switch off tools that the service has no more.")
    ] = False,
    owner: Owner = None,
    domain: Domain = None,
    tags: TagList = [],  # noqa: B006 - FastAPI copies it
) -> ImportReport:
    """Import a gRPC service: each unary method becomes a tool. Imports are listed with all others.

    What is in force is compared with; without `auto_publish` it stays, and drafts are made.
    """
    order = service.ImportOrder(
        bundle=bundle_id,
        publish=auto_publish,
        dry_run=dry_run,
        document=None if file is None else await file.read(),
        filename=(file and file.filename) or "",
        base_url=target,
        remove_missing=remove_missing,
        offered=GrpcOrder(target, tuple(services)),
        labels=Labels(owner, domain, tuple(tags)),
    )
    return await service.import_document(control, caller, order)


connectors = APIRouter(prefix="/api/admin/connectors", tags=["plugins"])


@connectors.post("/{name}")
async def import_connected(
    control: ControlPlane,
    caller: ServerManager,
    name: Annotated[str, Path(max_length=100, description="Name of a plugin's connector.")],
    wanted: ConnectorImport,
) -> ImportReport:
    """Import what a connector finds at an address, which is for those who manage servers.

    What is in force is compared with; without `auto_publish` it stays, and drafts are made.
    """
    order = service.ImportOrder(
        bundle=wanted.bundle_id,
        publish=wanted.auto_publish,
        dry_run=wanted.dry_run,
        base_url=f"{name}:{wanted.address}",
        remove_missing=wanted.remove_missing,
        offered=PluginOrder(name, wanted.address),
        labels=Labels(wanted.owner, wanted.domain, tuple(wanted.tags)),
    )
    return await service.import_document(control, caller, order)


modules = APIRouter(prefix="/api/admin/modules", tags=["modules"])


@modules.post("")
async def import_module(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: BundleId,
    file: Annotated[UploadFile, File(description="A WebAssembly module, in its binary form.")],
    manifest: Annotated[
        UploadFile | None,
        File(description="What its tools are, as JSON or YAML; else its section bascule.tools."),
    ] = None,
    auto_publish: AutoPublish = False,
    dry_run: DryRun = False,
    remove_missing: Annotated[
        bool, Form(description="Switch off tools that the module has no more.")
    ] = False,
    owner: Owner = None,
    domain: Domain = None,
    tags: TagList = [],  # noqa: B006 - FastAPI copies it
) -> ImportReport:
    """Import a WebAssembly module: its functions become tools, which run in a sandbox.

    What is in force is compared with; without `auto_publish` it stays, and drafts are made.
    """
    given = None if manifest is None else await manifest.read()
    order = service.ImportOrder(
        bundle=bundle_id,
        publish=auto_publish,
        dry_run=dry_run,
        document=await file.read(),
        filename=file.filename or "",
        remove_missing=remove_missing,
        offered=ModuleOrder(given, file.filename or ""),
        labels=Labels(owner, domain, tuple(tags)),
    )
    return await service.import_document(control, caller, order)
