"""A pooled HTTP/1.1 client on bare asyncio protocols, for the path every call takes."""

from bascule.upstreams.http1.client import HttpClient, ResponseStream
from bascule.upstreams.http1.messages import HttpRequest, HttpResponse, Origin
from bascule.upstreams.http1.settings import PoolConfig

__all__ = ["HttpClient", "HttpRequest", "HttpResponse", "Origin", "PoolConfig", "ResponseStream"]
