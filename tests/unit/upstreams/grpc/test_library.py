"""The libraries are optional."""

import pytest

from bascule.upstreams.grpc.library import GrpcMissing, is_there, load


def test_what_is_installed_is_loaded() -> None:
    assert is_there()
    assert load("json").loads("1") == 1


def test_what_is_missing_says_how_to_install_it() -> None:
    with pytest.raises(GrpcMissing, match=r"pip install 'bascule\[grpc\]'"):
        load("bascule_has_no_such_module")
