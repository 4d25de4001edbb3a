"""Weights carry the procedure; files, permissions and tools stay with the agent."""

import pytest
from skillweave.adapters.skills import Skill
from skillweave.distill.capacity import parts, token_figures
from skillweave.distill.token_meter import MAX_BYTE_SHARE, TINY_BASE_LABEL, TokenMeter

PLAIN = Skill("a", "Does a.", body="1. Sort the list.\n2. Write it down.")


def test_a_procedure_alone_is_carried_whole() -> None:
    (part,) = parts(PLAIN)
    assert (part.what, part.carried, part.detail) == ("procedure", True, "the body, 2 lines")


def test_an_empty_body_leaves_nothing_to_carry() -> None:
    assert parts(Skill("a", "Does a.", body=" \n")) == ()


def test_everything_beside_the_body_stays_and_says_why() -> None:
    skill = Skill(
        "a",
        "Does a.",
        body="Sort.",
        allowed_tools="Read",
        compatibility="Needs git",
        resources=(
            "LICENSE.txt",
            "README.md",
            "assets/logo.py",
            "evals/evals.json",
            "examples/data.csv",
            "examples/note.md",
            "forms.md",
            "fix.py",
            "references/api.md",
            "scripts/run",
        ),
    )
    found = {part.what: part for part in parts(skill)}
    assert [what for what, part in found.items() if part.carried] == ["procedure"]
    assert found["scripts"].files == ("fix.py", "scripts/run")
    assert found["references"].files == ("examples/note.md", "forms.md", "references/api.md")
    assert found["assets"].files == ("assets/logo.py",)
    assert found["files"].files == ("examples/data.csv",)
    assert "'Read'" in found["allowed-tools"].detail
    assert "tool use" in found
    assert "'Needs git'" in found["environment"].detail


@pytest.mark.parametrize(
    ("body", "uses_tools"),
    [
        ("Sort the list.", False),
        ("Run to the end of the list.", False),
        ("```\n1 2 3\n```", False),
        ("```bash\nls\n```", True),
        ("Run the script with the file's name.", True),
        ("Then call the search tool.", True),
    ],
)
def test_tool_use_is_seen_in_the_body(body: str, uses_tools: bool) -> None:
    found = [part.what for part in parts(Skill("a", "Does a.", body=body))]
    assert ("tool use" in found) is uses_tools


def words(text: str) -> int:
    return len(text.split())


def capitals(text: str) -> int:
    return sum(word.isupper() for word in text.split())


def test_tokens_are_those_of_the_meter() -> None:
    figures = token_figures(
        Skill("a", "Does A.", body="X y z z"), TokenMeter("mine", words, capitals)
    )
    assert (figures.tokenizer, figures.description, figures.body) == ("mine", 2, 4)
    assert figures.byte_share == 0.25
    assert figures.note == ""  # the bound speaks of the shipped base alone


def test_a_body_outside_the_shipped_bases_worlds_is_told_what_works() -> None:
    meter = TokenMeter(TINY_BASE_LABEL, words, capitals)
    at_bound = Skill("a", "b", body="X " + "y " * (round(1 / MAX_BYTE_SHARE) - 1))
    assert token_figures(at_bound, meter).note == ""
    above = token_figures(Skill("a", "b", body="X y"), meter)
    assert "--base" in above.note
    assert "serve --skills" in above.note


def test_a_meter_without_bytes_knows_no_share() -> None:
    figures = token_figures(PLAIN, TokenMeter(TINY_BASE_LABEL, words))
    assert (figures.byte_share, figures.note) == (None, "")
