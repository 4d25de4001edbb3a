"""What pretraining sees of facts: nothing held out, every word one token, answers that are right.

The texts are read back here by a reader of their own, so that a leak cannot hide in the writer.
"""

import random
import re

import pytest
from skillweave.distill.worlds.facts import (
    MANIPULATIONS,
    WORLD,
    Fact,
    documents,
    is_asking_held_out,
    is_fact_held_out,
    worked_answer,
)
from skillweave.distill.worlds.facts.classes import CLASS_OF
from skillweave.distill.worlds.facts.teaching import LEVEL_SHARES, SOURCES, author, follower, solver
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words

CODE = re.compile(r"\b[a-z0-9]\b(?: [a-z0-9]\b){1,2}")


def facts_in(text: str) -> list[Fact]:
    """Each piece of text with one known entity and one code."""
    found = []
    for piece in re.split(r"[\n.,]", text):
        entities = [word for word in re.findall("[a-z]+", piece) if word in CLASS_OF]
        codes = CODE.findall(piece)
        if len(entities) == len(codes) == 1:
            found.append((entities[0], tuple(codes[0].split())))
    return found


def manipulation_in(request: str) -> tuple[str, list[str], str]:
    """The manipulation that a request says, by the longest phrase found, its entities, its code."""
    best: tuple[int, str, list[str], str] = (0, "", [], "")
    for name, row in MANIPULATIONS.items():
        for phrase in row.phrases:
            pattern = re.escape(phrase)
            for slot, values in (("a", r"(?P<a>[a-z]+)"), ("b", r"(?P<b>[a-z]+)")):
                pattern = pattern.replace(re.escape(f"{{{slot}}}"), values)
            pattern = pattern.replace(re.escape("{k}"), r"(?P<k>[a-z0-9](?: [a-z0-9])+)")
            match = re.search(pattern, request)
            if match and len(phrase) > best[0]:
                groups = match.groupdict()
                entities = [groups[slot] for slot in "ab" if groups.get(slot)]
                best = (len(phrase), name, entities, groups.get("k") or "")
    return best[1:]


def check(facts: list[Fact], request: str, answer: str) -> str:
    """The answer follows from the facts, and nothing in it is held out; returns what was asked."""
    table = dict(facts)
    name, entities, code = manipulation_in(request)
    if code:
        entities = [entity for entity, known in facts if " ".join(known) == code]
    assert worked_answer(name, [(entity, table[entity]) for entity in entities]) == answer
    assert not any(is_asking_held_out(name, CLASS_OF[entity]) for entity in entities)
    assert not any(is_fact_held_out(*fact) for fact in facts)
    return name


def test_five_hundred_followers_show_nothing_held_out_and_answer_rightly() -> None:
    asked = []
    for seed in range(500):
        teaching = follower(random.Random(seed))
        assert teaching.text is not None
        facts = facts_in(teaching.text)
        assert 4 <= len(facts) == len(dict(facts)) <= 7, teaching.text
        user, assistant = teaching.draw(random.Random(seed))
        asked.append(check(facts, user["content"], assistant["content"]))
    assert set(asked) == set(MANIPULATIONS)
    recalled = sum(name == "recall" for name in asked) / 500
    assert abs(recalled - LEVEL_SHARES[0]) < 0.08


def test_solvers_find_the_facts_in_the_request() -> None:
    teaching = solver(random.Random(0))
    assert teaching.text is None
    asked = set()
    for seed in range(500):
        user, assistant = teaching.draw(random.Random(seed))
        shown, question = user["content"].split("\n")
        asked.add(check(facts_in(shown), question, assistant["content"]))
    assert asked == set(MANIPULATIONS)


def test_authors_write_the_facts_that_the_examples_show() -> None:
    teaching = author(random.Random(0))
    for seed in range(100):
        user, assistant = teaching.draw(random.Random(seed))
        facts = facts_in(assistant["content"])
        assert len(facts) == len(assistant["content"].splitlines())
        assert not any(is_fact_held_out(*fact) for fact in facts)
        examples = user["content"].split("\n\n")[:3]
        for example in examples:
            _, request, rest = example.split("\n", 2)
            check(facts, request, rest.removeprefix("answer\n"))


def test_a_teaching_is_a_function_of_its_generators() -> None:
    for source in SOURCES.values():
        one, two = source(random.Random(4)), source(random.Random(4))
        assert one.text == two.text
        assert one.draw(random.Random(1)) == two.draw(random.Random(1))
        assert len({str(one.draw(random.Random(seed))) for seed in range(20)}) > 15


@pytest.mark.parametrize("name", list(SOURCES))
def test_every_word_of_a_teaching_is_one_token_and_texts_are_short(
    name: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    most = {"system": 130, "user": 300 if name == "author" else 40, "assistant": 60}
    for seed in range(100):
        teaching = SOURCES[name](random.Random(seed))
        rows = [("system", teaching.text or "")]
        rows += [(t["role"], t["content"]) for t in teaching.draw(random.Random(seed))]
        for role, text in rows:
            assert unknown_words([text], tokenizer) == set(), text
            assert num_tokens(text, tokenizer) <= most[role], text


def test_every_word_of_a_skill_and_its_tasks_is_one_token(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    for seed in range(30):
        skill = WORLD.skill(1 + seed % 3, seed=seed)
        texts = [skill.body, skill.description, *documents(skill)]
        assert num_tokens(skill.body, tokenizer) <= 130
        for task in WORLD.tasks(skill, "test", 8, seed=seed):
            assert num_tokens(task.request, tokenizer) <= 40, task.request
            assert num_tokens(task.worked, tokenizer) <= 60, task.worked
            texts += [task.request, task.worked]
        assert unknown_words(texts, tokenizer) == set()
