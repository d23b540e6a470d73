"""A pooled HTTP/1.1 client on bare asyncio protocols, for the path every call takes."""

from bascule.upstreams.http1.client import HttpClient
from bascule.upstreams.http1.messages import HttpRequest, HttpResponse, Origin, prepare_headers
from bascule.upstreams.http1.settings import PoolConfig
from bascule.upstreams.http1.stream import ResponseStream

__all__ = [
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "Origin",
    "PoolConfig",
    "ResponseStream",
    "prepare_headers",
]
