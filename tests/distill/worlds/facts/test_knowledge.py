"""Tables that share nothing, and requests that combine facts of two."""

import pytest
from skillweave.adapters.skills import Skill
from skillweave.distill.worlds.facts import knowledge_split, spec_of, tasks_across

TABLES = knowledge_split(("recall", "join"), num_source=3, num_target=0, seed=1).source


@pytest.mark.parametrize("seed", range(12))
def test_tables_share_no_entity_and_no_code(seed: int) -> None:
    """Otherwise "what has this code?" would have two answers for whoever learned both."""
    split = knowledge_split(["recall"], num_source=6, num_target=6, seed=seed)
    facts = [fact for skill in (*split.source, *split.target) for fact in spec_of(skill).facts]
    assert len({entity for entity, _ in facts}) == len({code for _, code in facts}) == len(facts)


def test_each_request_takes_its_first_fact_from_its_family_and_its_second_from_elsewhere() -> None:
    tasks = tasks_across(TABLES, "join", "test", 6, seed=2)
    facts = {skill.name: spec_of(skill).facts for skill in TABLES}
    assert [task.family for task in tasks] == [skill.name for skill in TABLES for _ in range(6)]
    assert len({task.id for task in tasks}) == len(tasks)
    assert {task.wording for task in tasks} == {"seen", "unseen"}
    for task in tasks:
        (first, first_code), (second, second_code) = task.asked
        assert (first, first_code) in facts[task.family]
        assert (second, second_code) not in facts[task.family]
        assert f"the {first}" in task.request
        assert f"the {second}" in task.request
        assert task.expected == " ".join(first_code + second_code)
        assert task.verify(task.worked).passed


def test_a_seed_gives_the_same_requests_and_no_excluded_one() -> None:
    test = tasks_across(TABLES, "join", "test", 6, seed=2)
    assert test == tasks_across(TABLES, "join", "test", 6, seed=2)
    taken = {task.id for task in test}
    train = tasks_across(TABLES, "join", "train", 100, seed=2, exclude=taken)
    assert taken.isdisjoint(task.id for task in train)


def test_comparisons_ask_for_codes_of_unequal_length() -> None:
    for task in tasks_across(TABLES, "longer", "train", 8, seed=2):
        assert len({len(code) for _, code in task.asked}) == 2


@pytest.mark.parametrize(("tables", "manipulation"), [(TABLES[:1], "join"), (TABLES, "recall")])
def test_it_takes_two_tables_and_two_facts(tables: tuple[Skill, ...], manipulation: str) -> None:
    with pytest.raises(ValueError, match="at least 2 tables and a manipulation of 2"):
        tasks_across(tables, manipulation, "test", 1, seed=0)
