"""What a load counts as failed: everything but a whole answer that is one of those expected."""

from __future__ import annotations

import socket
import time

import pytest

from support.raw_server import Connection, Script, answer, run_raw_server
from support.steady_load import SteadyLoad

EXPECTED = {"predictions": [3.0]}


def send(text: str) -> Script:
    """Send these bytes as they are, and close."""

    def script(connection: Connection) -> None:
        connection.read_body()
        connection.send(text)

    return script


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answer('{"predictions": [4.0]}'), '200 OK {"predictions": [4.0]}'),
        (answer("nothing of the kind"), "200 OK nothing of the kind"),
        (send("HTTP/1.1 503 Busy\r\nContent-Length: 20\r\n\r\n" + '{"predictions":[3.0]}'), "bytes of an answer of 20"),
        (send("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}"), "500 Oh {}"),
        (send("HTTP/1.1 200 OK\r\n\r\n"), "without a length"),
        (send("HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + '{"predictions": [3.0'), "closed before the answer was whole"),
        (send(""), "closed before the answer was whole"),
    ],
)
def test_anything_but_a_whole_expected_answer_is_a_failure(script: Script, why: str) -> None:
    with run_raw_server(script) as server:
        assert why in ask_until_one_fails(int(server.address.partition(":")[2]))


def test_port_that_nobody_listens_on_is_a_failure() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert "ConnectionRefusedError" in ask_until_one_fails(nobody.getsockname()[1])


def test_kept_connection_that_is_closed_unannounced_is_a_failure_and_one_that_is_announced_is_not() -> None:
    def close(head: str) -> Script:
        return send(f'HTTP/1.1 200 OK\r\n{head}Content-Length: 22\r\n\r\n{{"predictions": [3.0]}}')

    with run_raw_server(close("")) as server:
        ask_until_one_fails(int(server.address.partition(":")[2]))
    with run_raw_server(close("Connection: close\r\n")) as server, open_load(int(server.address.partition(":")[2])) as load:
        load.wait_for(3)
    load.assert_whole(3)


def open_load(port: int) -> SteadyLoad:
    """One client, which keeps its connection."""
    return SteadyLoad(port, body=b"{}", answers=(EXPECTED,), clients=1, pause_seconds=0.001)


def ask_until_one_fails(port: int) -> str:
    """The first failure."""
    with open_load(port) as load:
        deadline = time.monotonic() + 20
        while not load.failures and time.monotonic() < deadline:
            time.sleep(0.005)
    return load.failures[0]
