"""Whether the model that the settings name could be asked, found out without asking it."""

import asyncio
import contextlib
import os
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from bascule.app.models import make_model
from bascule.settings.assistant import Llm
from bascule.settings.consistency import is_loopback

_REACH_SECONDS: Final = 5.0
_USUAL: Final = {"openai": "https://api.openai.com", "anthropic": "https://api.anthropic.com"}
_PORTS: Final = {"http": 80, "https": 443}


class Standing(NamedTuple):
    """How the model stands. `fix` is empty where nothing has to be done."""

    detail: str
    fix: str = ""


async def model_standing(llm: Llm) -> Standing:
    """Make the model, and a connection to where it is. Nothing is sent, so nothing is billed.

    Raises:
        ModelUnusable: it cannot be made; the message says what to do.
    """
    model = make_model(llm)
    await model.aclose()
    if llm.provider == "offline":
        return Standing("the planner in this process, which is no language model")
    address = urlsplit(_address(llm))
    host, port = address.hostname or "", address.port or _PORTS.get(address.scheme, 443)
    what = f"{llm.provider}, {model.card.label} at {host}:{port}"
    has_proxy = bool(getproxies().get(address.scheme)) and not proxy_bypass(host)
    if not has_proxy and (reason := await _unreachable(host, port)):
        fix = f"start what listens there, or correct {_setting(llm)}"
        return Standing(f"{what} cannot be reached: {reason}", fix)
    if address.scheme == "http" and not is_loopback(host):
        fix = "use https:// in llm.base_url, unless the network up to there is yours alone"
        return Standing(f"{what}: conversations and the key go there unencrypted", fix)
    how = "is asked by way of a proxy" if has_proxy else "can be reached"
    return Standing(f"{what} {how}; credentials are tried with the first message")


def _address(llm: Llm) -> str:
    if llm.base_url:
        return llm.base_url
    return _USUAL.get(llm.provider, f"https://bedrock-runtime.{llm.region}.amazonaws.com")


def _setting(llm: Llm) -> str:
    return "llm.base_url" if llm.base_url or llm.provider != "bedrock" else "llm.region"


async def _unreachable(host: str, port: int) -> str:
    """Why no connection can be made; "" where one can."""
    try:
        async with asyncio.timeout(_REACH_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no answer within {_REACH_SECONDS:.0f} seconds"
    except OSError as failure:
        number = failure.errno or 0
        return os.strerror(number) if number > 0 else str(failure)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""
