"""A connection that its client keeps is kept: it can be used again after a pause."""

import http.client
import time
from typing import Any

import pytest
from skillweave.server.config import ServeConfig
from skillweave.server.running import serve_in_background

LONGEST_KEPT_BY_OPENAI_S = 5.0


@pytest.mark.slow
def test_a_connection_outlives_the_pause_after_which_clients_give_it_up(stock: Any) -> None:
    config = ServeConfig(base=str(stock.base), store=stock.root, port=0, engine="fake")
    with serve_in_background(config) as server:
        line = http.client.HTTPConnection("127.0.0.1", int(server.root.rsplit(":", 1)[1]))
        line.auto_open = 0  # a closed connection is an error, not a new one
        line.connect()
        for pause_s in (0.0, LONGEST_KEPT_BY_OPENAI_S + 1.0):
            time.sleep(pause_s)
            line.request("GET", "/health")
            reply = line.getresponse()
            assert reply.status == 200
            reply.read()
        line.close()
