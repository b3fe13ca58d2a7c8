import socket

import pytest

from gatewise.cli import ports
from gatewise.errors import GatewiseError


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_refused_and_the_next_free_one_offered(taken):
    with pytest.raises(GatewiseError, match=rf"127\.0\.0\.1:{taken} cannot be listened on") as said:
        ports.require_free("127.0.0.1", taken)
    offered = int(str(said.value).rsplit(" ", 1)[1])
    assert offered > taken
    ports.require_free("127.0.0.1", offered)


def test_any_port_will_do_where_none_is_named():
    ports.require_free("127.0.0.1", 0)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(GatewiseError, match="cannot be listened on"):
        ports.require_free("192.0.2.1", 5000)
