"""The model that the settings name. A provider's library is imported only where it is used."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final

from bascule.chat.models import Model
from bascule.chat.offline import OfflineModel
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.settings.assistant import Llm

_CONNECTORS: Final = "bascule.chat.connectors"
_EXTRAS: Final = {
    "openai": "openai",
    "azure": "openai",
    "compatible": "openai",
    "anthropic": "anthropic",
    "bedrock": "bedrock",
}
"""The module of each provider, which is also the name of the extra that it needs."""


class ModelUnusable(GatewayError):
    """The model that the settings name cannot be asked; the message says what to do."""

    error = ErrorCode.UNAVAILABLE


@asynccontextmanager
async def open_model(llm: Llm) -> AsyncGenerator[Model]:
    """Make the model; its connections close with the block.

    Raises:
        ModelUnusable: the library of its provider is not installed, or takes no such settings.
    """
    model = make_model(llm)
    try:
        yield model
    finally:
        await model.aclose()


def make_model(llm: Llm) -> Model:
    """The model of `llm`, to be closed by the caller. Raises as `open_model`."""
    if llm.provider == "offline":
        return OfflineModel()
    module = _connector(llm.provider)
    try:
        return _made(module, llm)
    except Exception as failure:  # noqa: BLE001 - whatever a library thinks of the settings
        # A library that does not like an address or a key; neither belongs into the message.
        raise ModelUnusable(
            f"The model of llm.provider: {llm.provider} cannot be used ({type(failure).__name__}). "
            "Check llm.base_url, llm.region and the other settings of the section llm."
        ) from None


def _connector(provider: str) -> Any:
    extra = _EXTRAS[provider]
    try:
        return import_module(f"{_CONNECTORS}.{extra}")
    except ImportError as failure:
        if (failure.name or "").startswith("bascule"):
            raise
        raise ModelUnusable(
            f"llm.provider is {provider}, whose library is not installed. Install it with: "
            f"pip install 'bascule[{extra}]'",
            private=str(failure),
        ) from None


def _made(module: Any, llm: Llm) -> Model:
    key, seconds = llm.api_key.get_secret_value(), llm.timeout_seconds
    if llm.provider == "anthropic":
        config = module.AnthropicConfig(llm.model, key, llm.base_url or None, seconds)
        return module.AnthropicModel(config)
    if llm.provider == "bedrock":
        return module.BedrockModel(
            module.BedrockConfig(llm.model, llm.region, llm.base_url, seconds)
        )
    version = {"api_version": llm.api_version} if llm.api_version else {}
    is_azure = llm.provider == "azure"
    config = module.OpenAIConfig(
        model=llm.deployment if is_azure else llm.model,
        api_key=key,
        base_url=llm.base_url or None,
        timeout_seconds=seconds,
        flavour=module.Flavour(llm.provider),
        **version,
    )
    return module.OpenAIModel(config)
