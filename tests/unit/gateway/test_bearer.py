import pickle

import pytest

from bascule.gateway.bearer import Bearer


def test_a_token_is_given_to_who_exchanges_it_and_shown_to_nobody() -> None:
    bearer = Bearer("the token")
    assert bearer.for_exchange() == "the token"
    assert "the token" not in f"{bearer!r} {bearer}"


def test_a_token_is_not_written_down() -> None:
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(Bearer("the token"))
