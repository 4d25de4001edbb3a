"""Whether everybody can use the page, and whether strangers' words can: asked of a real browser.

By keyboard alone, through the accessibility tree, by contrast, on a narrow screen; and with hostile
words in cards, questions and answers. Checks as in `page_views.py`.
To add one: a function and its line in `ACCESS`.
"""

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from .page_browser import NARROW, SCHEMES, Look
from .page_place import HOSTILE, Place
from .page_views import Check

TABS = ("skills", "resident", "ask", "mix", "live")
MAX_STOPS = 60
NAMED_ROLES = frozenset(
    "button checkbox combobox dialog img link meter region searchbox slider spinbutton tab tablist "
    "tabpanel table textbox article".split()
)
"""Roles that mean nothing without a name."""
MIN_CONTRAST = 4.5
"""WCAG 2 AA for text of this size."""

_SOME_WORDS = re.compile(r".{40}", re.DOTALL)
_FOCUSED = """() => {
  const node = document.activeElement, style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  return {
    what: node === document.body ? '' : node.id || node.className || node.tagName,
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1.5,
    seen: box.width > 0 && box.height > 0,
  };
}"""
_CONTRAST = """() => {
  const parse = (words) => {
    const [r, g, b, a = 1] = words.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const part = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) =>
    0.2126 * part(r / 255) + 0.7152 * part(g / 255) + 0.0722 * part(b / 255);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at && !(layers.length && layers[0][3] === 1); at = at.parentElement)
      layers.unshift(parse(getComputedStyle(at).backgroundColor));
    return layers.reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, words = walk.currentNode.textContent.trim();
    if (!words || !node.checkVisibility() || node.closest('.vh, option, :disabled, noscript'))
      continue;
    const style = getComputedStyle(node), back = ground(node);
    const ink = parse(node.namespaceURI.endsWith('svg') ? style.fill : style.color);
    const [a, b] = [light(over(ink, back)), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), words.slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0])[0];
}"""


def keyboard(look: Look, place: Place) -> tuple[int, ...]:
    """Skip link, tabs by arrow keys, every stop visible and outlined, nobody is caught."""
    page = look.open("skills")
    page.get_by_role("table", name="Skills").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("tab", name="Skills").focus()
    for key, name in (
        ("ArrowRight", "Resident"),
        ("End", "Live"),
        ("ArrowRight", "Skills"),
        ("ArrowLeft", "Live"),
        ("Home", "Skills"),
    ):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
    for view in TABS:
        _walk(look.open(view), view)
    look.open("skills")
    page.get_by_role("button", name=place.first, exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=place.first)).to_be_focused()
    return ()


def _walk(page: Page, view: str) -> None:
    """Tab from the top of a view until the browser's own controls are reached."""
    page.locator(".skip").focus()
    stops: list[str] = []
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop["what"] in ("", "skip"):
            break
        assert stop["outlined"], f"{view}: no outline on {stop['what']}"
        assert stop["seen"], f"{view}: {stop['what']} has the focus and is not seen"
        stops.append(stop["what"])
    else:
        raise AssertionError(f"{view}: {MAX_STOPS} stops and no end: {stops[-4:]}")
    assert f"tab-{view}" in stops, f"{view}: its tab is no stop: {stops}"


def tree(look: Look, place: Place) -> tuple[int, ...]:
    """Landmarks are there, and nothing that can be used or looked at is without a name."""
    page = look.open("skills")
    look.use_admin_key(place.admin_key)
    for view in TABS:
        look.open(view)
        _wait_for_words(page)
        for landmark in (page.get_by_role("banner"), page.get_by_role("main")):
            expect(landmark).to_have_count(1)
        expect(page.get_by_role("tablist")).to_have_count(1)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_text("skillweave")
        expect(page.locator("html[lang=en]")).to_have_count(1)
        nameless = _nameless(page)
        assert not nameless, f"{view}: without a name: {nameless}"
    return ()


def _wait_for_words(page: Page) -> None:
    """A view has drawn something, and nothing of a view is still on its way."""
    expect(page.get_by_role("tabpanel")).to_contain_text(_SOME_WORDS)
    page.wait_for_load_state("networkidle")


def _nameless(page: Page) -> list[str]:
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    roles = [
        node["role"]["value"]
        for node in nodes
        if not node.get("ignored") and not node.get("name", {}).get("value", "").strip()
    ]
    return [role for role in roles if role in NAMED_ROLES]


def contrast(look: Look, place: Place) -> tuple[int, ...]:
    """Text stands out from its ground by AA, in every view, light and dark."""
    page = look.open("skills")
    look.use_admin_key(place.admin_key)
    for view in (*TABS, f"skills/{place.first}"):
        look.open(view)
        _wait_for_words(page)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            ratio, words = page.evaluate(_CONTRAST)
            assert ratio >= MIN_CONTRAST, f"{scheme} {view}: {ratio:.2f} on {words!r}"
    return ()


def narrow(look: Look, place: Place) -> tuple[int, ...]:
    """At 360 px nothing sticks out sideways."""
    page = look.open("skills")
    look.use_admin_key(place.admin_key)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    for view in (*TABS, f"skills/{place.first}", f"skills/{place.evil}"):
        look.open(view)
        _wait_for_words(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW[0], f"{view}: {wide} px wide"
    return ()


def still(look: Look, place: Place) -> tuple[int, ...]:
    """Nothing moves for whoever asks for less motion."""
    page = look.open("skills")
    moving = """() => [...document.querySelectorAll('*')].filter((node) => {
      const style = getComputedStyle(node);
      return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
    }).length"""
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0
    return ()


def hostile(look: Look, place: Place) -> tuple[int, ...]:
    """Markup in a card, a question, an address or a name stays words."""
    page = look.open("skills")
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name=place.evil))
    expect(row).to_contain_text("<img src=x onerror=")
    look.use_admin_key(place.admin_key)
    look.open(f"skills/{place.evil}")
    expect(page.get_by_role("region", name=place.evil)).to_contain_text("<script>")
    look.open("ask")
    page.get_by_label("Model", exact=True).fill("base")
    page.get_by_label("Message", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("article").first).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("article").first).to_contain_text("<img src=x")
    look.open("skills/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_role("alert").first).to_contain_text("does not exist")
    assert page.locator("img").count() == 1  # our mark
    assert page.locator("main script, main a").count() == 0
    assert "owned" not in page.title()
    return (404,)


ACCESS: Mapping[str, Check] = {
    "by keyboard alone": keyboard,
    "roles and names": tree,
    "contrast": contrast,
    "at 360 pixels": narrow,
    "without motion": still,
    "hostile words are inert": hostile,
}
