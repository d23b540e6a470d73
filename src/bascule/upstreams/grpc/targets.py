"""Addresses of gRPC services: `grpc://host:port`, or `grpcs://host:port` for TLS."""

from typing import NamedTuple, Self
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"grpc": 80, "grpcs": 443}


class Target(NamedTuple):
    """Where a service is. `host` is as it was written, IPv6 without its brackets."""

    host: str
    port: int
    is_secure: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `url`.

        Raises:
            ValueError: it is no such address; says why.
        """
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("write it as grpc://host:port, or grpcs://host:port for TLS")
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise ValueError("it names no host, or a user")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("it ends with the port: methods have names, not paths")
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        return cls(parts.hostname, port, parts.scheme == "grpcs")

    @property
    def authority(self) -> str:
        """What the service is told that it is called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
