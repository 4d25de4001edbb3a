"""A taken port is said so, with the port and a way out."""

import pytest
from skillweave.adapters.errors import PortInUse, UsageError
from skillweave.server.supervision.listen import address_of, open_listener


def test_a_taken_port() -> None:
    with open_listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port}.*--port"):
            open_listener("127.0.0.1", port)


def test_a_port_is_free_again_at_once() -> None:
    with open_listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    with open_listener("127.0.0.1", port) as second:
        assert address_of(second, "127.0.0.1") == f"http://127.0.0.1:{port}"


def test_an_address_of_another_machine() -> None:
    with pytest.raises(UsageError, match=r"203\.0\.113\.7"):
        open_listener("203.0.113.7", 0)


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match=f"port {port}: expected 0 .a free one. to 65535"):
        open_listener("127.0.0.1", port)
