"""gRPC services: unary methods as tools, described by the service itself or by a descriptor set.

Needs the extra `grpc` (grpcio, grpcio-reflection); without it everything else works.
"""

from bascule.upstreams.grpc.library import GrpcMissing, is_there
from bascule.upstreams.grpc.methods import Method, Surface, read_surface
from bascule.upstreams.grpc.targets import Target

__all__ = ["GrpcMissing", "Method", "Surface", "Target", "is_there", "read_surface"]
