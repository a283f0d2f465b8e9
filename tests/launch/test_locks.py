"""A port that cannot be had is refused with the name of the variable to set."""

from __future__ import annotations

import socket

import pytest

from launch.locks import check_port
from launch.processes import CannotRunError
from tests.live import free_port


def test_a_busy_port_is_refused_by_the_name_of_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotRunError, match=f"Port {port} .* in use .* Set PORT"):
            check_port("127.0.0.1", port)


def test_a_free_port_is_let_pass_and_stays_free() -> None:
    port = free_port()
    check_port("localhost", port)
    check_port("localhost", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours_is_refused_by_the_name_of_its_variable(host: str) -> None:
    with pytest.raises(CannotRunError, match="HOST: "):
        check_port(host, free_port())
