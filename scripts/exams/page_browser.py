"""A real browser that looks at the page, and everything it notices while it looks.

The browser is the Debian package `chromium`, driven through Playwright. A `Look` is one tab; it
keeps what no page of ours may do: errors on the console, requests that leave the server, breaches
of the content security policy. Owns starting and watching. Refuses to own what is checked
(`page_views.py`, `page_access.py`).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

PACKAGE = "chromium"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    f"no Chromium on this machine (looked for {', '.join(PROGRAMS)}); it is the Debian package "
    f"`{PACKAGE}`: apt-get install {PACKAGE}"
)
WIDE, NARROW = (1280, 820), (360, 740)
TIMEOUT_MS = 20_000
_NOTE_BREACHES = """
window.breaches = [];
addEventListener('securitypolicyviolation', (e) =>
  window.breaches.push(`${e.violatedDirective} ${e.blockedURI}`));
"""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
Found = TypeVar("Found")


def find_chromium() -> str | None:
    """The program; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """A running browser, in a thread of its own.

    Playwright keeps an event loop running in the thread that started it; in the main thread no
    `asyncio.run` would work any more. So whatever is done with the browser is done over there.
    """

    def __init__(self, thread: ThreadPoolExecutor, browser: Browser) -> None:
        self._thread = thread
        self._browser = browser

    def run(self, work: Callable[[Browser], Found]) -> Found:
        """What `work` returns or raises."""
        return self._thread.submit(work, self._browser).result()


@contextmanager
def chromium(program: str) -> Iterator[Chromium]:
    """A headless browser, ended with the block. Root cannot use its sandbox."""
    args = ["--process-per-site", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with ThreadPoolExecutor(1, "chromium") as thread:
        play = thread.submit(lambda: sync_playwright().start()).result()
        launch = partial(play.chromium.launch, executable_path=program, args=args)
        try:
            browser = thread.submit(launch).result()
            yield Chromium(thread, browser)
            thread.submit(browser.close).result()
        finally:
            thread.submit(play.stop).result()


@dataclass
class Look:
    """One tab, and what was noticed in it."""

    page: Page
    root: str
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, view: str) -> Page:
        """Go to a view (`skills`, `ask`, ...) and wait until it is there."""
        self.page.goto(f"{self.root}/ui#/{view}")
        name = view.partition("/")[0]
        self.page.wait_for_selector(f"#tab-{name}[aria-selected=true]")
        return self.page

    def use_admin_key(self, key: str) -> None:
        """As if it had been typed before."""
        self.page.evaluate("key => sessionStorage.setItem('skillweave.admin-key', key)", key)
        self.page.reload()

    def faults(self, *, expected: tuple[int, ...] = ()) -> list[str]:
        """What was noticed; `expected` are statuses of refusals that the check asked for."""
        known = tuple(f"status of {status}" for status in expected)
        console = [text for text in self.console if not any(k in text for k in known)]
        breaches: list[str] = self.page.evaluate("window.breaches")
        left = [f"left the server: {url}" for url in self.foreign]
        return [*console, *left, *(f"policy: {breach}" for breach in breaches)]


@contextmanager
def looking(
    browser: Browser,
    root: str,
    *,
    size: tuple[int, int] = WIDE,
    scheme: Scheme = "light",
    still: bool = False,
) -> Iterator[Look]:
    """A fresh tab without keys (they belong to a tab); `still` asks for less motion."""
    page = _context(browser, root).new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce" if still else "no-preference")
    look = Look(page, root)

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            look.console.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith(f"{root}/"):
            look.foreign.append(request.url)

    page.on("console", said)
    page.on("pageerror", lambda error: look.console.append(f"exception: {error}"))
    page.on("request", asked)
    try:
        yield look
    finally:
        page.close()


def _context(browser: Browser, root: str) -> BrowserContext:
    """One for all tabs, with one that stays open: else each look starts a process of its own."""
    if browser.contexts:
        return browser.contexts[0]
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(_NOTE_BREACHES)
    context.new_page().goto(f"{root}/ui/icon.svg")
    return context
