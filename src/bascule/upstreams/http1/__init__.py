"""A pooled HTTP/1.1 client on bare asyncio protocols, for the path every call takes."""

from bascule.upstreams.http1.client import HttpClient
from bascule.upstreams.http1.messages import HttpRequest, HttpResponse, Origin, prepare_headers
from bascule.upstreams.http1.sender import HttpSender
from bascule.upstreams.http1.settings import PoolConfig, client_tls
from bascule.upstreams.http1.stream import ResponseStream

__all__ = [
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "HttpSender",
    "Origin",
    "PoolConfig",
    "ResponseStream",
    "client_tls",
    "prepare_headers",
]
