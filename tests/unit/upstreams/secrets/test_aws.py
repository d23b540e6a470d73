"""With a stand-in for boto3, which is an extra that tests do without."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bascule.upstreams.secrets.aws import AwsSecrets
from bascule.upstreams.secrets.failures import SecretUnavailable
from bascule.upstreams.secrets.references import Reference, references_in


class ClientError(Exception):
    """As botocore's: what AWS answered is in `response`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: hunter2")
        self.response = {"Error": {"Code": code}}


class FakeBoto:
    """The part of boto3 that is used."""

    def __init__(self, **secrets: Any) -> None:
        self.secrets = secrets
        self.clients: list[dict[str, Any]] = []
        self.session = SimpleNamespace(Session=lambda: self)

    def client(self, service: str, **options: Any) -> "FakeBoto":
        self.clients.append({"service": service, **options})
        return self

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as in boto3
        found = self.secrets[SecretId]
        if isinstance(found, Exception):
            raise found
        return {"SecretString": found}


@pytest.fixture
def boto(monkeypatch: pytest.MonkeyPatch) -> FakeBoto:
    fake = FakeBoto(
        plain="hunter2",
        whole='{"key": "hunter2", "port": 5432}',
        listed="[]",
        binary=None,
        secret=ClientError("AccessDeniedException"),
        odd=ClientError("ThrottlingException"),
        broken=ConnectionError("hunter2"),
    )
    config = ModuleType("botocore.config")
    config.Config = lambda **options: options  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "boto3", fake)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "botocore", ModuleType("botocore"))
    monkeypatch.setitem(sys.modules, "botocore.config", config)
    return fake


def one(text: str) -> Reference:
    (found,) = references_in(text)
    return found


async def test_secrets_and_their_fields_are_read_over_one_client(boto: FakeBoto) -> None:
    source = AwsSecrets("eu-west-1")
    assert await source.fetch(one("${aws:plain}")) == "hunter2"
    assert await source.fetch(one("${aws:whole#key}")) == "hunter2"
    (client,) = boto.clients
    assert (client["service"], client["region_name"]) == ("secretsmanager", "eu-west-1")
    assert client["config"]["read_timeout"] == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${aws:whole#none}", "no field none"),
        ("${aws:whole#port}", "no field port"),
        ("${aws:plain#key}", "no field key"),
        ("${aws:listed#key}", "no field key"),
        ("${aws:binary}", "is binary"),
        ("${aws:secret}", "may not read it"),
        ("${aws:odd}", "AWS Secrets Manager: ThrottlingException"),
        ("${aws:broken}", "AWS Secrets Manager: ConnectionError"),
    ],
)
@pytest.mark.usefixtures("boto")
async def test_what_cannot_be_had_is_explained_without_any_value(text: str, reason: str) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        await AwsSecrets().fetch(one(text))
    assert reason in caught.value.private
    assert "hunter2" not in caught.value.private


async def test_without_the_extra_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(SecretUnavailable) as caught:
        await AwsSecrets().fetch(one("${aws:plain}"))
    assert "pip install 'bascule[aws]'" in caught.value.private
