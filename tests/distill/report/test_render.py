"""The page shows every block, loads nothing, and cannot be broken by what it shows."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console
from skillweave.distill.report import (
    ExampleAnswer,
    Report,
    RouterBlock,
    render_html,
    render_terminal,
    write_report,
)

HOSTILE = '<script>alert(1)</script><img src=x onerror="x()">&"\'</pre></svg>[red]'
VOID = {"meta", "br", "img", "link", "input", "line", "circle"}


def plain(text: str) -> str:
    """Real minus signs, dashes and thin spaces as their plain cousins."""
    return text.translate({0x2212: "-", 0x2013: "-", 0x202F: " ", 0xA0: " "})


class Page(HTMLParser):
    """Collects tags, attributes and text, and fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text += data if self._open[-1:] != ["style"] else ""

    @property
    def words(self) -> str:
        """The text with every run of blanks, also the unbreakable ones, as one space."""
        return re.sub(r"\s+", " ", plain(self.text))


def test_every_block_is_on_the_page(sample: Report) -> None:
    words = Page(render_html(sample)).words
    for shown in (
        "Two skills become adapters",
        "The adapter carries the skill.",
        "1 of 3 bars are met.",
        "✓ met",
        "✗ missed",
        "- not measured",
        "what s2l is",
        "92.0 to 96.0",  # the interval of s2l
        "1 200",
        "s2l - text",
        "241 of 256",
        "tidy-list@1",
        "81.8 % went to their own skill",
        "abstained on 88.3 %",
        "prototypes/ngrams",
        "From the desk: k d a",
        "final: a d k",
        "44.4 / 84.0",
        "never",
        "4 977",
        "Plain base tasks",
        "2.1e-05",
        "2.437",
        "2 min 20 s",
        "skillweave demo",
        "train 7",
    ):
        assert shown in words, shown


def test_a_missed_bar_is_said_in_the_summary(sample: Report) -> None:
    words = Page(render_html(sample)).words
    assert "Missed: auto minus s2l, -6.1 (the bar is within 5 points)." in words
    assert "Not measured, so not shown: largest difference." in words


def test_an_empty_run_says_of_every_block_that_it_was_not_measured() -> None:
    words = Page(render_html(Report(title="t", created="now", bars=(), arms=()))).words
    for block in ("Accuracy", "Accuracy by skill", "Routing", "Cost", "Harm", "Agreement"):
        assert re.search(rf"{block}[a-z ]* was not measured in this run", words), block
    assert "No bars were set" in words
    assert "No example was kept" in words


def test_the_page_loads_nothing_from_anywhere(sample: Report) -> None:
    page = Page(render_html(sample))
    assert not {"script", "link", "iframe", "object", "embed", "img"} & set(page.tags)
    refs = [v for name, v in page.attributes if name in {"src", "href", "xlink:href", "srcset"}]
    assert refs
    assert all(ref.startswith("#") for ref in refs)
    css = re.search(r"<style>(.*?)</style>", render_html(sample), re.S)
    assert css is not None
    assert "url(" not in css[1]
    assert "@import" not in css[1]


def test_links_lead_to_sections_that_exist(sample: Report) -> None:
    page = Page(render_html(sample))
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in page.attributes if name == "href"} <= set(ids)


def test_every_table_has_a_caption_and_every_drawing_a_description(sample: Report) -> None:
    page = Page(render_html(sample))
    assert page.tags.count("table") == page.tags.count("caption") > 0
    drawings = [value for name, value in page.attributes if name == "aria-label"]
    assert "Share of items passed, by arm. none: 0.4 (0.0 to 2.4);" in drawings[1]
    assert page.tags.count("svg") == 2


def hostile(value: object) -> object:
    """The same data with every free text replaced."""
    keep = {"met", "missed", "not measured", "created"}
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) and value not in keep else value


def test_hostile_text_stays_text_everywhere(sample: Report) -> None:
    report = Report.model_validate(hostile(sample.model_dump(mode="json")))
    page = Page(render_html(report))
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert page.words.count(HOSTILE) > 30


def test_keys_from_outside_are_escaped_too(sample: Report) -> None:
    report = sample
    provenance = report.provenance.model_copy(
        update={"versions": {HOSTILE: "1"}, "seeds": {HOSTILE: 1}, "wall_s": {HOSTILE: 1.0}}
    )
    page = Page(render_html(report.model_copy(update={"provenance": provenance})))
    assert not {"script", "img"} & set(page.tags)
    assert page.words.count(HOSTILE) == 3


def test_an_answer_keeps_its_lines_and_an_empty_one_is_named(sample: Report) -> None:
    report = sample
    answers = (
        ExampleAnswer(arm="a", answer="one\n  two", passed=True),
        ExampleAnswer(arm="b", answer="", passed=False),
    )
    example = report.examples[0].model_copy(update={"answers": answers})
    html = render_html(report.model_copy(update={"examples": (example,)}))
    assert "<pre>one\n  two</pre>" in html
    assert "<pre>(empty)</pre>" in html


def test_rendering_is_a_function_of_the_report(sample: Report) -> None:
    assert render_html(sample) == render_html(sample)


def test_a_report_round_trips_as_json_and_refuses_what_it_does_not_know(
    sample: Report, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    write_report(path, sample)
    assert Report.model_validate_json(path.read_bytes()) == sample
    path.write_text(path.read_text().replace('"title"', '"titel"'))
    with pytest.raises(ValidationError, match="titel"):
        Report.model_validate_json(path.read_bytes())


def test_a_confusion_matrix_must_be_rectangular() -> None:
    with pytest.raises(ValidationError, match="one number a cell"):
        RouterBlock(rows=("a",), columns=("a", "b"), counts=((1,),), accuracy=1, abstained=0)


def printed(report: Report) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render_terminal(report))
    return console.export_text()


def test_the_terminal_shows_bars_arms_differences_and_skills(sample: Report) -> None:
    text = plain(printed(sample))
    for shown in ("1 of 3 bars", "missed", "92.0 to 96.0", "s2l - text", "mirror-log", "81.8 %"):
        assert shown in text, shown


def test_the_terminal_prints_markup_from_outside_literally(sample: Report) -> None:
    report = Report.model_validate(hostile(sample.model_dump(mode="json")))
    assert "[red]" in printed(report)


def test_an_empty_report_prints() -> None:
    assert "not measured" in printed(Report(title="t", created="now", bars=(), arms=()))
