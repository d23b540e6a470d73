"""Words of the protocol that all modules share: versions, errors, sealed state."""

import base64
import collections
import hashlib
import hmac
import json
import os
import struct
import time
import zlib

MODERN, LEGACY = "2026-07-28", ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
P = "io.modelcontextprotocol/"
TASKS = P + "tasks"
INFO = {"name": "conf-fixture", "version": "1.0.0"}


def _png():
    chunk = lambda k, d: struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
        + chunk(b"IEND", b"")
    )


PNG = base64.b64encode(_png()).decode()
WAV = base64.b64encode(
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\0\0\0\0"
).decode()
KEY = os.environ.get("FIXTURE_KEY", "conf-fixture-request-state-key").encode()
LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
SEEN: collections.deque = collections.deque(maxlen=500)


class RpcError(Exception):
    def __init__(self, code, message, data=None, http=200):
        super().__init__(message)
        self.code, self.message, self.data, self.http = code, message, data, http

    def body(self):
        return {
            "code": self.code,
            "message": self.message,
            **({"data": self.data} if self.data is not None else {}),
        }


class NeedInput(Exception):
    def __init__(self, requests, state):
        self.requests, self.state = requests, state


def seal(obj, bind):
    raw = base64.urlsafe_b64encode(
        json.dumps({"v": obj, "exp": time.time() + 600}).encode()
    ).decode()
    return raw + "." + hmac.new(KEY, (bind + raw).encode(), hashlib.sha256).hexdigest()


def unseal(token, bind):
    raw, _, mac = str(token).rpartition(".")
    if not hmac.compare_digest(
        mac, hmac.new(KEY, (bind + raw).encode(), hashlib.sha256).hexdigest()
    ):
        raise RpcError(-32602, "Invalid or expired requestState")
    obj = json.loads(base64.urlsafe_b64decode(raw))
    if obj["exp"] < time.time():
        raise RpcError(-32602, "Invalid or expired requestState")
    return obj["v"]
