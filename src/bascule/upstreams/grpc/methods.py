"""What a service offers, read from its descriptors: unary methods with their messages."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from bascule.gateway.errors import InvalidValue
from bascule.upstreams.grpc.library import load
from bascule.upstreams.grpc.schemas import MessageSchemas

_NO_SIDE_EFFECTS, _IDEMPOTENT = 1, 2  # google.protobuf.MethodOptions.IdempotencyLevel
MOST_BYTES: Final = 16 * 1024 * 1024
MOST_FILES: Final = 2_000
OWN_SERVICES: Final = ("grpc.reflection.", "grpc.health.", "grpc.channelz.")
"""How the names of services begin that speak of the server and not of what it is for."""


class Method(NamedTuple):
    """A unary method: how it is called, and what its messages look like as JSON."""

    service: str
    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    is_read: bool
    is_idempotent: bool
    is_deprecated: bool


class Surface(NamedTuple):
    """The methods of some services. `left_out` says which are not unary."""

    methods: tuple[Method, ...]
    left_out: tuple[str, ...]


def open_pool(descriptors: bytes) -> Any:
    """A descriptor pool of a serialised `FileDescriptorSet`.

    Raises:
        InvalidValue: it is none, or a file in it needs one that is not.
        GrpcMissing: the libraries are not installed.
    """
    pb2, pools = load("google.protobuf.descriptor_pb2"), load("google.protobuf.descriptor_pool")
    if len(descriptors) > MOST_BYTES:
        raise _unusable(f"it has more than {MOST_BYTES:,} bytes")
    try:
        files = pb2.FileDescriptorSet.FromString(descriptors).file
    except Exception as error:  # noqa: BLE001 - the library raises classes of its own for bad bytes
        raise _unusable(f"it cannot be read ({type(error).__name__})") from None
    if not 0 < len(files) <= MOST_FILES:
        raise _unusable(f"it holds {len(files) or 'no'} files; 1 to {MOST_FILES} are read")
    pool = pools.DescriptorPool()
    for file in _in_order(files):
        try:
            pool.Add(file)
        except Exception as error:  # noqa: BLE001 - as above
            raise _unusable(f"{file.name[:100]}: {str(error)[:200]}") from None
    return pool


def _in_order(files: Any) -> list[Any]:
    """Each file after those it needs."""
    by_name = {file.name: file for file in files}
    missing = {name: len(by_name.keys() & set(file.dependency)) for name, file in by_name.items()}
    needed_by: dict[str, list[str]] = {}
    for name, file in by_name.items():
        for needed in set(file.dependency):
            needed_by.setdefault(needed, []).append(name)
    ready = [name for name, count in missing.items() if not count]
    ordered: list[Any] = []
    while ready:
        name = ready.pop()
        ordered.append(by_name[name])
        for other in needed_by.get(name, ()):
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    if len(ordered) < len(by_name):
        raise _unusable("its files need each other in a circle")
    return ordered


def read_surface(descriptors: bytes, services: Collection[str] = ()) -> Surface:
    """The methods that `descriptors` describe: of `services` (full names), or of all.

    Raises:
        InvalidValue: the descriptors cannot be used, or have no such service.
        GrpcMissing: the libraries are not installed.
    """
    pool = open_pool(descriptors)
    pb2 = load("google.protobuf.descriptor_pb2")
    names = [
        f"{file.package}.{service.name}".lstrip(".")
        for file in pb2.FileDescriptorSet.FromString(descriptors).file
        for service in file.service
    ]
    wanted = [name for name in names if not name.startswith(OWN_SERVICES)]
    if services:
        unknown = sorted(set(services) - set(names))
        if unknown:
            raise InvalidValue(
                f"There is no service {unknown[0]}. There are {', '.join(sorted(wanted)[:20])}.",
                details={"field": "services", "known": sorted(wanted)[:100]},
            )
        wanted = [name for name in names if name in services]
    methods: list[Method] = []
    left_out: list[str] = []
    for name in wanted:
        for method in pool.FindServiceByName(name).methods:
            if method.client_streaming or method.server_streaming:
                left_out.append(f"{name}/{method.name}")
            else:
                methods.append(_method(name, method))
    return Surface(tuple(methods), tuple(left_out))


def _method(service: str, method: Any) -> Method:
    options = method.GetOptions()
    level = options.idempotency_level
    return Method(
        service=service,
        name=method.name,
        description=f"Calls {method.name} of {service}.",
        input_schema=MessageSchemas(is_input=True).schema_of(method.input_type),
        output_schema=MessageSchemas(is_input=False).schema_of(method.output_type),
        is_read=level == _NO_SIDE_EFFECTS,
        is_idempotent=level in (_NO_SIDE_EFFECTS, _IDEMPOTENT),
        is_deprecated=bool(options.deprecated),
    )


def _unusable(reason: str) -> InvalidValue:
    return InvalidValue(
        f"The descriptor set cannot be used: {reason}. Make one with: protoc --include_imports "
        "--descriptor_set_out=service.pb service.proto",
        details={"field": "descriptors"},
    )
