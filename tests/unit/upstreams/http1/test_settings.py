import ssl
from pathlib import Path

import pytest

from bascule.upstreams.http1.settings import PoolConfig, client_tls


def test_certificates_and_names_are_verified() -> None:
    context = client_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_unreadable_authority_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        client_tls(str(tmp_path / "absent.pem"))


def test_connections_are_given_up_before_common_servers_close_them() -> None:
    assert PoolConfig().idle_seconds < 5
