"""Every failure of the database reaches callers under one code."""

from bascule.gateway.errors import ErrorCode
from bascule.storage import errors
from bascule.storage.errors import StorageError


def test_every_storage_failure_is_e5002_and_has_a_sentence_of_its_own() -> None:
    named = [kind for kind in vars(errors).values() if _is_storage_error(kind)]
    assert len(named) >= 10
    assert {kind.error for kind in named} == {ErrorCode.DATABASE}
    assert len({kind.__doc__ for kind in named}) == len(named)


def _is_storage_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, StorageError)
