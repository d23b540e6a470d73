"""The socket on which everything is served."""

import socket
from contextlib import closing

import pytest

from bascule.app.serving import ListenConfig, bind


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="not on this system")
def test_what_a_client_does_not_read_is_not_left_to_the_system() -> None:
    with closing(bind(ListenConfig(port=0))) as listener:
        listener.listen()
        with (
            socket.create_connection(listener.getsockname()),
            closing(listener.accept()[0]) as accepted,
        ):
            bound = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert 0 < bound <= 256 * 1024
