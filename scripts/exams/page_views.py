"""What each view of the page must show, asked of a real browser.

A check gets a fresh tab and the place it looks at, and raises AssertionError where the page falls
short. To add one: a function and its line in `VIEWS`.
"""

import re
from collections.abc import Callable, Mapping

from playwright.sync_api import Browser, Locator, Page, expect

from .page_browser import Look, looking
from .page_place import Place

Check = Callable[[Look, Place], tuple[int, ...]]
"""Returns the statuses of refusals that the check provoked."""

QUESTION = "take the list b c d f and say it again"


def faults_of(check: Check, browser: Browser, place: Place) -> list[str]:
    """Run a check in a fresh tab; what went on behind it that should not.

    Raises:
        AssertionError: the page does not show what the check wants.
    """
    with looking(browser, place.root) as look:
        return look.faults(expected=check(look, place))


def skills(look: Look, place: Place) -> tuple[int, ...]:
    """Every skill with its accuracy and interval; one in detail, with controls and parents."""
    page = look.open("skills")
    row = page.get_by_role("row").filter(has=_skill(page, place.first))
    expect(row).to_contain_text(re.compile(r"\d+\.\d % ?\(\d+\.\d \u2013 \d+\.\d %\)"))
    page.get_by_role("searchbox").fill(place.first)
    expect(page.locator("#shelf-count")).to_contain_text("of")
    _skill(page, place.first).click()
    expect(page.get_by_role("heading", name=place.first, level=2)).to_be_focused()
    detail = page.get_by_role("region", name=place.first)
    arms = detail.get_by_role("table", name="Accuracy by condition").first
    expect(arms.get_by_role("row").filter(has_text="none")).to_contain_text("control")
    expect(arms.get_by_role("row").filter(has_text="the adapter")).to_contain_text("%")
    expect(detail).to_contain_text("Made by")
    expect(detail.get_by_text("How it was made")).to_have_count(0)
    page.go_back()
    expect(_skill(page, place.first)).to_be_focused()
    page.get_by_role("searchbox").fill("")
    _skill(page, place.blend).click()
    parents = page.get_by_role("table", name="Parents and their weights")
    expect(parents.get_by_role("row")).to_have_count(3)
    expect(parents).to_contain_text("0.4")
    return ()


def keys(look: Look, place: Place) -> tuple[int, ...]:
    """Views of the admin say what they need; the dialog says at once what a key opens."""
    page = look.open("resident")
    expect(page.get_by_role("tabpanel")).to_contain_text("type the admin key")
    page.get_by_role("button", name="Keys").click()
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_label("Admin key").fill("not the key")
    dialog.get_by_role("button", name="Use").click()
    expect(dialog.get_by_role("status")).to_contain_text("does not hold")
    dialog.get_by_label("Admin key").fill(place.admin_key)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("The admin key holds")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keys")).to_be_focused()
    expect(page.get_by_role("heading", name="Engine 0")).to_be_visible()
    stored: str = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert stored.endswith(", {}]") or stored.endswith(",{}]"), "a key outlives the tab"
    return ()


def resident(look: Look, place: Place) -> tuple[int, ...]:
    """An adapter that was asked is in a slot of an engine."""
    page = look.open("ask")
    _ask(page, place.first)
    look.use_admin_key(place.admin_key)
    look.open("resident")
    row = page.get_by_role("table", name="Adapters by engine").get_by_role("row")
    row = row.filter(has_text=place.first).first
    expect(row.get_by_role("cell").first).to_contain_text("slot")
    expect(page.get_by_role("region", name="Engine 0")).to_contain_text(re.compile(r"\d of \d"))
    return ()


def playground(look: Look, place: Place) -> tuple[int, ...]:
    """Every answer says who gave it and why; a refusal says its reason."""
    page = look.open("ask")
    _ask(page, place.first)
    answer = page.get_by_role("article").first
    expect(answer.locator(".from")).to_contain_text(f"adapter{place.first}version")
    expect(answer).to_contain_text("You asked for it by name.")
    for figure in ("first word", "whole answer", "tokens", "request"):
        expect(answer).to_contain_text(figure)
    expect(page.locator("#say")).to_contain_text(f"Answer from {place.first}, version")
    _ask(page, "base", submit="Control+Enter")
    expect(page.get_by_role("article").first).to_contain_text("You asked for the base.")
    page.get_by_label("Model", exact=True).fill("no-such-skill")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("does not exist")
    expect(page.get_by_role("article")).to_have_count(3)
    return (404,)


def mix(look: Look, place: Place) -> tuple[int, ...]:
    """Two adapters by sliders, negative too; the sum beside each alone, and its error."""
    page = look.open("mix")
    for label, name in (("First", place.first), ("Second", place.second)):
        page.get_by_role("group", name=label).get_by_role("combobox").select_option(name)
    sliders = page.get_by_role("slider", name="Weight")
    sliders.first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    sliders.last.fill("-0.2")
    model = f"{place.first}*0.7+{place.second}*-0.2"
    expect(page.get_by_label("Model string")).to_have_text(model)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == model
    page.get_by_label("Message to all three").fill(QUESTION)
    page.get_by_role("button", name="Compare").click()
    answers = page.get_by_role("article")
    expect(answers).to_have_count(3)
    expect(page.locator(".three [aria-busy=false] .figures")).to_have_count(3)
    expect(answers.nth(0).locator(".from")).to_contain_text(place.first)
    expect(answers.nth(1)).to_contain_text("the server composed it")
    expect(answers.nth(1)).to_contain_text("composition error")
    expect(answers.nth(2).locator(".from")).to_contain_text(place.second)
    return ()


def live(look: Look, place: Place) -> tuple[int, ...]:
    """Charts with a sentence each, the same as a table, and traffic by skill."""
    page = look.open("ask")
    _ask(page, place.first)
    look.use_admin_key(place.admin_key)
    look.open("live")
    for name in ("Requests a second", "Latency", "In hand"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    row = page.get_by_role("table", name="Traffic by skill").get_by_role("row")
    expect(row.filter(has_text=place.first)).to_contain_text("ms")
    page.get_by_text("The charts as a table").click()
    expect(page.get_by_role("table", name="Traffic by time")).to_contain_text("s ago")
    expect(page.locator(".tiles")).to_contain_text("Waiting")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    return ()


def with_a_key(token: str) -> Check:
    """On a server with keys: nothing without one, with one what it may ask and nothing else."""

    def check(look: Look, place: Place) -> tuple[int, ...]:
        page = look.open("skills")
        expect(page.get_by_role("tabpanel")).to_contain_text("shown to holders of a key")
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Key for asking").fill(token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("You ask as")
        page.keyboard.press("Escape")
        expect(_skill(page, place.first)).to_be_visible()
        expect(_skill(page, place.second)).to_have_count(0)
        look.open("ask")
        _ask(page, place.first)
        page.get_by_label("Model", exact=True).fill(place.second)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("does not exist")
        return (404,)

    return check


def modules(look: Look, place: Place) -> tuple[int, ...]:
    """The page's pure functions, on values worked by hand, in the browser that runs them."""
    page = look.open("skills")
    found = page.evaluate(
        """async () => {
        const [f, s, c, a] = await Promise.all(['format', 'stream', 'chart', 'answer']
          .map((name) => import(`/ui/${name}.js`)));
        const cut = async function* (text, size) {
          for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
        };
        const events = 'data: {"a":1}\\r\\n\\r\\n: note\\n\\ndata: {"a":\\ndata: 2}\\n\\n'
          + 'data: [DONE]\\n\\ndata: {"a":3}\\n\\n';
        const read = [];
        for (const size of [1, 3, 1000])
          for await (const one of s.documents(cut(events, size))) read.push(one.a);
        return {
          sums: [
            f.expression([{ name: 'a', weight: 0.7 }, { name: 'b', weight: -0.2 }]),
            f.expression([{ name: 'a', weight: 1 }, { name: 'b', weight: 0 }]),
            f.expression([{ name: 'a', weight: 1 }, { name: 'b', weight: 1 }], { exact: true }),
            f.expression([{ name: 'a', weight: 1e-9 }, { name: 'b', weight: 0 }]),
          ],
          read,
          times: [0, 0.841, 12.34, 999.6, 1240, null].map(f.milliseconds),
          tops: [0, 1, 1.1, 37, 0.003].map(c.ceiling),
          runs: c.runs([null, 1, 2, null, 3]),
          why: a.why({ adapter: 'x', form: 'adapter', route: 'auto: near' }, 'auto'),
        };
        }"""
    )
    assert found == {
        "sums": ["a*0.7+b*-0.2", "a:adapter", "a+b:exact", "base"],
        "read": [1, 2] * 3,
        "times": ["0 ms", "0.84 ms", "12.3 ms", "1000 ms", "1.24 s", "\u2013"],
        "tops": [1, 1, 2, 50, 0.005],
        "runs": [[[1, 1], [2, 2]], [[4, 3]]],
        "why": "The router chose it: near.",
    }, found
    return ()


def _skill(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def _ask(page: Page, model: str, *, submit: str | None = None) -> None:
    """Ask in the playground and wait for the end of the answer."""
    before = page.get_by_role("article").count()
    page.get_by_label("Model", exact=True).fill(model)
    page.get_by_label("Message", exact=True).fill(QUESTION)
    if submit is None:
        page.get_by_role("button", name="Ask", exact=True).click()
    else:
        page.keyboard.press(submit)
    expect(page.get_by_role("article")).to_have_count(before + 1)
    expect(page.get_by_role("article").first).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("article").first.locator(".figures")).to_be_visible()


VIEWS: Mapping[str, Check] = {
    "skills with their evidence": skills,
    "keys": keys,
    "what is resident where": resident,
    "the playground": playground,
    "a mix beside each alone": mix,
    "traffic and latency": live,
    "pure functions": modules,
}
