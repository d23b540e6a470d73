"""The gRPC libraries, loaded when the first gRPC service is met: few installations have one."""

from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

from bascule.gateway.errors import ErrorCode, GatewayError


class GrpcMissing(GatewayError):
    """The optional libraries are not installed."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "gRPC services need the optional libraries. Install them with: pip install "
            "'bascule[grpc]'"
        )


def load(name: str) -> Any:
    """The module `name` of grpcio, grpcio-reflection or protobuf, untyped as they are.

    Raises:
        GrpcMissing: it is not installed.
    """
    try:
        module: ModuleType = import_module(name)
    except ImportError:
        raise GrpcMissing from None
    return module


def is_there() -> bool:
    """Whether gRPC services can be called."""
    try:
        load("grpc")
        load("grpc_reflection.v1alpha.reflection_pb2")
    except GrpcMissing:
        return False
    return True
