"""An engine ends while somebody looks at the page: told at once, and told when it is back."""

import os
import signal
import time
from urllib.error import HTTPError
from urllib.request import urlopen

from playwright.sync_api import expect

from .page_browser import Look
from .page_place import Place
from .page_views import Check

PATIENCE_S = 10.0
BACK_MS = 180_000
"""A real engine takes a while to start."""


def engine_ends(pid: int) -> Check:
    """A check that kills the engine `pid`, the only one of its server."""

    def check(look: Look, place: Place) -> tuple[int, ...]:
        page = look.open("ask")
        page.get_by_label("Message", exact=True).fill("hello")
        page.get_by_label("Model", exact=True).fill("base")
        expect(page.locator("#server")).to_contain_text("ready")
        os.kill(pid, signal.SIGKILL)
        _until_not_ready(place.root)
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.locator("#server")).to_contain_text("Not ready")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("ready")
        expect(page.locator("#server")).to_contain_text("1 engine · ready", timeout=BACK_MS)
        return (503,)

    return check


def _until_not_ready(root: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            urlopen(f"{root}/ready", timeout=PATIENCE_S).close()
        except HTTPError as err:
            err.close()
            if err.code == 503:
                return
        time.sleep(0.01)
    raise AssertionError(f"the server says for {PATIENCE_S} s that it is ready without an engine")
