"""The scripted reader and the policy behind it: choices, budget, tokens of all calls."""

import asyncio
from collections.abc import Sequence

import pytest
from skillweave.distill.evaluation import Answer
from skillweave.distill.policy import Sampling
from skillweave.distill.skill_documents import (
    Fact,
    Reading,
    Rendering,
    Section,
    SkillDocument,
    chunked,
    flat,
    progressive,
    read,
    reader_of,
    to_be_read,
)
from skillweave.distill.skill_documents.reading_policy import ReadingPolicy
from skillweave.distill.worlds.types import Message

DOCUMENT = SkillDocument(
    "Codes",
    (
        Section("animal", (Fact("cat", "a 1"), Fact("dog", "b 2"))),
        Section("tool", (Fact("saw", "c 3"), Fact("nail", "d 4"))),
        Section("room", (Fact("bed", "e 5"), Fact("desk", "f 6"))),
    ),
)
ANIMAL = "# Animal list\n\n- cat: a 1\n- dog: b 2"
TOOL = "# Tool list\n\n- saw: c 3\n- nail: d 4"
SIZE = 11
"""Words of each resource."""


def count(text: str) -> int:
    return len(text.split())


def opened(reading: Reading) -> list[str | None]:
    return [action.resource for action in reading.actions]


def reading(rendering: Rendering, request: str, *, budget: int = 100) -> Reading:
    return read(rendering, request, budget=budget, count=count)


def test_a_root_with_keys_is_followed_in_the_order_of_the_request() -> None:
    seen = reading(progressive(DOCUMENT), "the saw, then the dog and the nail.")
    assert opened(seen) == ["root", "tool", "animal"]
    assert seen.kept == (TOOL, ANIMAL)
    assert seen.text == f"{TOOL}\n\n{ANIMAL}"


def test_a_request_about_nothing_that_is_known_opens_nothing() -> None:
    seen = reading(progressive(DOCUMENT), "the concatenation of the moon.")  # no cat in there
    assert (opened(seen), seen.text) == (["root"], None)


@pytest.mark.parametrize(
    ("budget", "num"), [(SIZE - 1, 0), (SIZE, 1), (2 * SIZE - 1, 1), (2 * SIZE, 2)]
)
def test_the_budget_forces_a_choice(budget: int, num: int) -> None:
    seen = reading(progressive(DOCUMENT), "the saw and the dog.", budget=budget)
    assert opened(seen) == ["root", "tool", "animal"][: num + 1]


def test_without_keys_it_guesses_by_the_request_and_keeps_what_holds_a_key() -> None:
    layout = chunked(DOCUMENT, 4)
    seen = reading(layout, "the code of the bed.")
    assert sorted(str(name) for name in opened(seen)) == sorted(["root", *layout.resources])
    assert len(seen.kept) == 1
    assert "- bed: e 5" in seen.kept[0]
    orders = {tuple(opened(reading(layout, f"{n} of the bed"))) for n in range(20)}
    assert len(orders) > 1
    assert reading(layout, "the moon").kept == tuple(
        a.shown for a in reading(layout, "the moon").actions[1:]
    )


def test_tokens_are_those_of_every_call() -> None:
    layout = progressive(DOCUMENT)
    seen = reading(layout, "saw dog")
    root = count(layout.root)
    assert seen.prompt_tokens == (root + 2) + (root + 2 + SIZE)
    assert seen.completion_tokens == 2 * count("open tool")
    assert reading(layout, "moon").prompt_tokens == 0


def test_a_reader_travels_in_a_system_text() -> None:
    layout = chunked(DOCUMENT, 4)
    assert reader_of(to_be_read(layout, budget=7)) == (layout, 7)
    assert reader_of(to_be_read(layout, budget=7).strip()) == (layout, 7)
    assert reader_of(flat(DOCUMENT).root) is None


class Spy:
    """Answers `ok` for ten tokens and one, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Message]] = []

    async def complete(
        self, messages: Sequence[Message], *, model: str, sampling: Sampling
    ) -> Answer:
        self.asked.append(messages)
        return Answer("ok", 10, 1)


def asked(system: str | None, request: str) -> tuple[Sequence[Message], Answer]:
    spy = Spy()
    turns: list[Message] = [] if system is None else [{"role": "system", "content": system}]
    turns.append({"role": "user", "content": request})
    policy = ReadingPolicy(spy, count)
    answer = asyncio.run(policy.complete(turns, model="base", sampling=Sampling()))
    return spy.asked[0], answer


def test_what_was_opened_stands_before_the_request_and_all_tokens_count() -> None:
    layout = progressive(DOCUMENT)
    seen, answer = asked(to_be_read(layout, budget=100), "the code of the saw.")
    assert seen == [
        {"role": "system", "content": TOOL},
        {"role": "user", "content": "the code of the saw."},
    ]
    once = reading(layout, "the code of the saw.")
    assert (answer.prompt_tokens, answer.completion_tokens) == (
        10 + once.prompt_tokens,
        1 + once.completion_tokens,
    )


def test_the_budget_travels_in_the_system_text() -> None:
    seen, answer = asked(to_be_read(progressive(DOCUMENT), budget=SIZE - 1), "the saw.")
    assert [turn["role"] for turn in seen] == ["user"]
    assert answer.prompt_tokens == 10


@pytest.mark.parametrize("system", [None, flat(DOCUMENT).root])
def test_other_conversations_pass_as_they_are(system: str | None) -> None:
    seen, answer = asked(system, "the saw.")
    assert [turn["content"] for turn in seen] == [*filter(None, [system]), "the saw."]
    assert (answer.text, answer.prompt_tokens) == ("ok", 10)
