import pytest

from bascule.cli.commands.stdio import _endpoint
from bascule.cli.failures import CommandFailed, Exit
from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind


@pytest.mark.parametrize(
    ("bundle", "server", "endpoint"),
    [
        (None, None, EVERYTHING),
        ("booking", None, Endpoint(EndpointKind.BUNDLE, "booking")),
        (None, "github", Endpoint(EndpointKind.SERVER, "github")),
    ],
)
def test_the_slice_is_the_one_named(bundle, server, endpoint) -> None:
    assert _endpoint(bundle, server) == endpoint


@pytest.mark.parametrize(
    ("bundle", "server"), [("a", "b"), ("", None), (None, ""), ("a/b", None), ("", "b")]
)
def test_a_slice_that_cannot_be_is_a_mistake_of_usage(bundle, server) -> None:
    with pytest.raises(CommandFailed) as failed:
        _endpoint(bundle, server)

    assert failed.value.exit_code is Exit.USAGE
