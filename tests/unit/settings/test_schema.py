import json

import jsonschema_rs
import pytest
import yaml

from bascule.settings.inventory import inventory
from bascule.settings.schema import json_schema


def accepts(text: str) -> bool:
    return jsonschema_rs.validator_for(json_schema()).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "server:\nredis:\n",
        "server: {port: 8000, host: 0.0.0.0, allow_remote: true}",
        "server: {port: '${PORT:8000}', allow_remote: '${REMOTE}', allowed_hosts: a}",
        "server: {allowed_hosts: [a, '${B}'], request_timeout_seconds: 2.5}",
        "app: {environment: '${STAGE}'}",
        "observability: {log_level: debug, log_format: '${FORMAT:json}'}",
        "llm: {}",
        "llm: {provider: openai, api_key: '${KEY}'}",
    ],
)
def test_files_the_loader_takes_are_valid(text: str):
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    ["[]", "serve: {}", "server: {prot: 1}", "server: {port: 99999}", "server: {port: abc}",
     "observability: {log_level: loud}", "audit: {mode: batched}", "llm: {provider: clever}",
     "server: 8000", "app: {environment: Prod!}"],
)  # fmt: skip
def test_files_the_loader_refuses_are_invalid(text: str):
    assert not accepts(text)


def test_every_setting_is_described_with_its_default():
    schema = json_schema()
    assert jsonschema_rs.meta.is_valid(schema)
    for setting in inventory().values():
        described = schema["properties"][setting.section]["properties"][setting.name]
        assert described["description"].startswith(setting.meaning)
        assert described["default"] == setting.default
    assert "x-setting" not in json.dumps(schema)
