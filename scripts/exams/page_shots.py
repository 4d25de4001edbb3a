"""Pictures of the page for the guide: each view, light and dark, with traffic to look at.

Owns what is done before a picture is taken. Refuses to own the views (`server/gateway/ui/`).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, expect

from .page_browser import SCHEMES, WIDE, Look, looking
from .page_place import Place

QUESTION = "A note from the harbour: here is the list b c d f for the ship."
CLIENTS = 3
LEAD_S = 60.0
"""Traffic before the first picture, for charts to show."""
WATCHED_MS = 20_000
"""How long queues are watched before theirs is taken."""


def take_pictures(browser: Browser, place: Place, folder: Path) -> list[Path]:
    """Write `page-VIEW-SCHEME.png` for every view; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for scheme in SCHEMES:
        with looking(browser, place.root, size=WIDE, scheme=scheme, still=True) as look:
            look.open("skills")
            look.use_admin_key(place.admin_key)
            for name, prepare in PICTURES.items():
                prepare(look, place)
                file = folder / f"page-{name}-{scheme}.png"
                look.page.screenshot(path=file)
                taken.append(file)
    return taken


@contextmanager
def traffic(place: Place) -> Iterator[None]:
    """Clients that ask base, adapters and their sum, with pauses, as long as the body runs."""
    models = ("base", place.first, place.second, f"{place.first}*0.7+{place.second}*0.3")
    done = Event()

    def client(number: int) -> None:
        asked = 0
        while not done.wait(0.05 * (asked % (4 + number))):
            _ask(place.root, models[(number + asked) % len(models)])
            asked += 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(client, number) for number in range(CLIENTS)]
        try:
            time.sleep(LEAD_S)
            yield
        finally:
            done.set()
    for each in running:
        each.result()


def _ask(root: str, model: str) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    body = {"model": model, "messages": messages, "max_tokens": 24, "stream": True}
    headers = {"content-type": "application/json"}
    request = Request(f"{root}/v1/chat/completions", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as reply:
        reply.read()


def _skills(look: Look, place: Place) -> None:
    page = look.open(f"skills/{place.first}")
    page.get_by_role("searchbox").fill("use" if "routine" in place.first else "report")
    expect(page.get_by_role("button", name=place.evil)).to_have_count(0)
    expect(page.get_by_role("heading", name=place.first, level=2)).to_be_visible()
    page.evaluate("document.activeElement.blur()")


def _resident(look: Look, place: Place) -> None:
    page = look.open("resident")
    expect(page.get_by_role("table", name="Adapters by engine")).to_be_visible()


def _playground(look: Look, place: Place) -> None:
    page = look.open("ask")
    page.get_by_label("Message", exact=True).fill(QUESTION)
    offers = page.locator("#models option[value=auto]").count()
    for model in ("base", f"{place.first}:adapter", "auto" if offers else place.second):
        before = page.get_by_role("article").count()
        page.get_by_label("Model", exact=True).fill(model)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("article")).to_have_count(before + 1)
        _ended(page)


def _mix(look: Look, place: Place) -> None:
    page = look.open("mix")
    for label, name in (("First", place.first), ("Second", place.second)):
        page.get_by_role("group", name=label).get_by_role("combobox").select_option(name)
    page.get_by_role("slider", name="Weight").first.fill("0.8")
    page.get_by_role("slider", name="Weight").last.fill("-0.2")
    page.get_by_label("Message to all three").fill(QUESTION)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".three [aria-busy=false]")).to_have_count(3)


def _live(look: Look, place: Place) -> None:
    page = look.open("live")
    expect(page.get_by_role("table", name="Traffic by skill")).to_be_visible()
    page.wait_for_timeout(WATCHED_MS)


def _ended(page: Page) -> None:
    expect(page.get_by_role("article").first).to_have_attribute("aria-busy", "false")


PICTURES: Mapping[str, Callable[[Look, Place], None]] = {
    "skills": _skills,
    "playground": _playground,
    "mix": _mix,
    "resident": _resident,
    "live": _live,
}
