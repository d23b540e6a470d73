"""AWS Secrets Manager, by way of boto3: its credentials come from wherever boto3 finds them.

boto3 is an extra (`bascule[aws]`): it is imported with the first secret that is asked for.
"""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference

_SECONDS: Final = 5
_REASONS: Final = {
    "AccessDeniedException": "the role of this gateway may not read it",
    "ResourceNotFoundException": "there is no such secret in this account and region",
    "DecryptionFailure": "its KMS key cannot be used by the role of this gateway",
    "InvalidRequestException": "it is about to be deleted",
    "UnrecognizedClientException": "AWS does not accept the credentials of this gateway",
    "ExpiredTokenException": "the credentials of this gateway have expired",
}


class AwsSecrets:
    """Reads secrets, or fields of secrets that are JSON objects; each in a thread."""

    def __init__(self, region: str = "", endpoint: str = "") -> None:
        """`region` and `endpoint`: "" for what boto3 finds out itself."""
        self._region = region or None
        self._endpoint = endpoint or None
        self._client: Any = None

    async def fetch(self, reference: Reference) -> str:
        """As `Source.fetch`."""
        return await asyncio.to_thread(self._fetch, reference)

    def _fetch(self, reference: Reference) -> str:
        try:
            client = self._client or self._connect()
            answer = client.get_secret_value(SecretId=reference.name)
        except ImportError:
            raise SecretUnavailable(
                f"{reference}: secrets of AWS need boto3: pip install 'bascule[aws]'."
            ) from None
        except Exception as error:  # noqa: BLE001 - the classes of botocore exist only with it
            raise SecretUnavailable(f"{reference}: {_reason(error)}.") from None
        self._client = client
        return _chosen(answer.get("SecretString"), reference)

    def _connect(self) -> Any:
        # By name: nothing of it is known where the extra is not installed.
        make_session: Callable[[], Any] = importlib.import_module("boto3").session.Session
        config = importlib.import_module("botocore.config").Config(
            connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2}
        )
        return make_session().client(
            "secretsmanager",
            region_name=self._region,
            endpoint_url=self._endpoint,
            config=config,
        )


def _reason(error: Exception) -> str:
    """What is wrong, by the code AWS gives; messages may repeat what was sent."""
    response = cast("dict[str, Any]", getattr(error, "response", None) or {})
    code = str(response.get("Error", {}).get("Code", ""))
    return _REASONS.get(code) or f"AWS Secrets Manager: {code or type(error).__name__}"


def _chosen(text: object, reference: Reference) -> str:
    if not isinstance(text, str):
        raise SecretUnavailable(f"{reference} is binary; only texts can be used.")
    if not reference.field:
        return text
    try:
        members: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        members = None
    if isinstance(members, dict):
        value = cast("dict[str, object]", members).get(reference.field)
        if isinstance(value, str):
            return value
    raise SecretUnavailable(f"{reference}: the secret has no field {reference.field} that is text.")
