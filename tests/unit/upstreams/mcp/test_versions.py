import pytest

from bascule.protocol.versions import Era
from bascule.upstreams.mcp.messages import Incoming, decode
from bascule.upstreams.mcp.versions import NoCommonVersion, era_of, legacy_version


def answer(body: str) -> Incoming:
    message = decode(f'{{"jsonrpc":"2.0","id":1,{body}}}'.encode())
    assert message is not None
    return message


@pytest.mark.parametrize(
    ("body", "era"),
    [
        ('"result":{"supportedVersions":["2026-07-28"]}', Era.MODERN),
        ('"result":{"supportedVersions":["2025-11-25","2026-07-28"]}', Era.MODERN),
        ('"result":{"supportedVersions":["2099-01-01","2025-06-18"]}', Era.LEGACY),
        ('"result":{"protocolVersion":"2025-11-25"}', Era.LEGACY),
        ('"result":null', Era.LEGACY),
        ('"error":{"code":-32022,"message":"","data":{"supported":["2026-07-28"]}}', Era.MODERN),
        ('"error":{"code":-32022,"message":"","data":{"supported":["2025-11-25"]}}', Era.LEGACY),
        ('"error":{"code":-32020,"message":"headers"}', Era.MODERN),
        ('"error":{"code":-32021,"message":"capability"}', Era.MODERN),
        ('"error":{"code":-32601,"message":"method not found"}', Era.LEGACY),
        ('"error":{"code":-32602,"message":"not initialized"}', Era.LEGACY),
        ('"error":{"code":-32000,"message":"no session"}', Era.LEGACY),
        ('"error":{"code":0,"message":""}', Era.LEGACY),
    ],
)
def test_era_is_told_by_the_answer_to_discover(body: str, era: Era) -> None:
    assert era_of(answer(body)) is era


@pytest.mark.parametrize(
    "body",
    [
        '"result":{"supportedVersions":["2099-01-01"]}',
        '"error":{"code":-32022,"message":"","data":{"supported":["2099-01-01"]}}',
        '"error":{"code":-32022,"message":""}',
        '"error":{"code":-32022,"message":"","data":{"supported":7}}',
    ],
)
def test_server_without_a_common_version_is_refused(body: str) -> None:
    with pytest.raises(NoCommonVersion):
        era_of(answer(body))


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
def test_every_legacy_version_is_accepted(version: str) -> None:
    assert legacy_version(answer(f'"result":{{"protocolVersion":"{version}"}}')) == version


def test_version_that_is_not_spoken_here_is_refused() -> None:
    with pytest.raises(NoCommonVersion):
        legacy_version(answer('"result":{"protocolVersion":"2099-01-01"}'))


@pytest.mark.parametrize("body", ['"result":{}', '"result":[]', '"result":{"protocolVersion":1}'])
def test_answer_without_a_version_is_no_answer(body: str) -> None:
    with pytest.raises(ValueError, match="initialize"):
        legacy_version(answer(body))
