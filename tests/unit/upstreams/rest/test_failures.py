"""Named failures say what to do, and keep the reason for the operator."""

from bascule.gateway.errors import ErrorCode, InvalidArgument
from bascule.upstreams.rest.failures import invalid, unsupported_media, unusable


def test_an_invalid_argument_is_named() -> None:
    failure = invalid("id", "must not be empty")

    assert failure.public == "`id` must not be empty."
    assert failure.details == {"field": "id"}
    assert failure.error is ErrorCode.INVALID_VALUE
    assert isinstance(failure, InvalidArgument)


def test_an_unusable_operation_keeps_its_reason_private() -> None:
    failure = unusable("no parameter fills {x}")

    assert "{x}" not in failure.public
    assert failure.private == "no parameter fills {x}"


def test_an_unsupported_body_is_named() -> None:
    failure = unsupported_media("multipart/form-data")

    assert "multipart/form-data" in failure.public
    assert failure.error is ErrorCode.UNSUPPORTED_MEDIA
