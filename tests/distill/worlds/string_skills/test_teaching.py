"""The string world's teaching: nothing held out, nothing wrong, nothing that cannot be told."""

import random
from collections.abc import Mapping

from skillweave.distill.worlds.authoring import NUM_EXAMPLES
from skillweave.distill.worlds.string_skills import (
    Operation,
    SkillSpec,
    held_out_parts,
    is_held_out,
)
from skillweave.distill.worlds.string_skills import texts as string_texts
from skillweave.distill.worlds.string_skills.teaching import (
    SOURCES,
    author,
    authored_body,
    explained,
    follower,
    open_spec,
    solver,
    telling_lists,
)
from skillweave.distill.worlds.types import Message
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words


def contents(turns: tuple[Message, ...], role: str) -> list[str]:
    return [turn["content"] for turn in turns if turn["role"] == role]


def test_followers_see_a_text_and_one_request_or_a_chain_of_them() -> None:
    lengths: dict[int, int] = {}
    for seed in range(300):
        teaching = follower(random.Random(seed))
        assert teaching.text
        turns = teaching.draw(random.Random(seed))
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        lengths[len(turns) // 2] = lengths.get(len(turns) // 2, 0) + 1
    assert set(lengths) == {1, 2, 3, 4}
    assert 0.78 < lengths[1] / 300 < 0.92
    drawn = follower(random.Random(0))
    assert (
        drawn.draw(random.Random(1)) == drawn.draw(random.Random(1)) != drawn.draw(random.Random(2))
    )


def test_shares_say_how_many_steps_are_shown() -> None:
    for seed in range(30):
        turns = follower(random.Random(seed), shares=(0.0, 1.0)).draw(random.Random(0))
        assert len(contents(turns, "assistant")[0].splitlines()) == 3  # two steps and the end


def test_solvers_see_no_text_and_the_plain_format() -> None:
    teaching = solver(random.Random(0))
    assert teaching.text is None
    for seed in range(50):
        request, answer = (turn["content"] for turn in teaching.draw(random.Random(seed)))
        first, final = answer.splitlines()
        assert first.removeprefix("1: ") == final.removeprefix("final: ")
        assert any(word in request for word in first.removeprefix("1: ").split())


def test_nothing_held_out_is_ever_shown() -> None:
    rng = random.Random(0)
    assert all(held_out_parts(open_spec(rng, 1 + n % 3)) == () for n in range(200))
    # What the author writes is read back from its text: its operations stand on the lines.
    said = {
        authored_body(spec): spec
        for spec in (string_texts.random_spec(random.Random(seed), 1) for seed in range(3000))
    }
    for seed in range(60):
        body = contents(author(rng, shares=(1.0,)).draw(random.Random(seed)), "assistant")[0]
        assert body not in said or not is_held_out(said[body])


def test_three_examples_tell_what_the_author_writes() -> None:
    spec = SkillSpec((Operation("drop-first", ("1",)), Operation("reverse")), "bars", "farm")
    lists = telling_lists(spec, random.Random(0))
    assert lists is not None
    assert len(lists) == NUM_EXAMPLES
    assert explained(spec, lists) == spec.operations
    assert authored_body(spec) == (
        "## Steps\n1. Drop the first one.\n2. Reverse the items.\n\n## Output\n"
        "Write the final list with bars."
    )


def test_a_step_that_the_examples_do_not_show_is_not_taught() -> None:
    # `replace h by c` on lists without h changes nothing, which other operations explain as well.
    spec = SkillSpec((Operation("replace", ("h", "c")),), "plain", "farm")
    silent = (("d", "f", "g"), ("g", "f", "d", "b"), ("k", "l", "m", "n"))
    assert explained(spec, silent) != spec.operations
    told = telling_lists(spec, random.Random(0))
    assert told is not None
    assert any("h" in items for items in told)
    # After `keep-first 2`, `keep-last 2` never does anything: no lists can tell it.
    hidden = SkillSpec(
        (Operation("keep-first", ("2",)), Operation("keep-last", ("2",))), "bars", "farm"
    )
    assert telling_lists(hidden, random.Random(0)) is None


def test_an_authors_prompt_holds_three_requests_with_their_answers() -> None:
    for seed in range(20):
        prompt, body = (t["content"] for t in author(random.Random(0)).draw(random.Random(seed)))
        assert prompt.count("final:") == prompt.count("example ") == NUM_EXAMPLES
        assert body.startswith("## Steps\n1. ")
        assert body not in prompt


def test_every_word_is_one_token_and_texts_stay_short(tokenizer: PreTrainedTokenizerBase) -> None:
    most: dict[str, int] = {}
    for name, source in SOURCES.items():
        for seed in range(60):
            teaching = source(random.Random(seed))
            turns = teaching.draw(random.Random(seed))
            texts: Mapping[str, list[str]] = {
                "system": [teaching.text] if teaching.text else [],
                "user": contents(turns, "user"),
                "assistant": contents(turns, "assistant"),
            }
            for role, rows in texts.items():
                assert unknown_words(rows, tokenizer) == set()
                for text in rows:
                    key = f"{name}.{role}"
                    most[key] = max(most.get(key, 0), num_tokens(text, tokenizer))
    assert most["follower.system"] <= 130
    assert most["follower.user"] <= 40
    assert most["author.user"] <= 300
    assert most["author.assistant"] <= 130
