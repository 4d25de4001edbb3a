"""Tasks of tables by seed and split, hostile answers, rates, other ways of asking, knowledge."""

import random
import re
from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import read_skill, validate_skill, write_skill, writing_problems
from skillweave.distill.worlds.facts import (
    MANIPULATIONS,
    WORLD,
    FactTask,
    asking,
    documents,
    is_asking_held_out,
    is_fact_held_out,
    is_held_out,
    knowledge_split,
    spec_of,
)
from skillweave.distill.worlds.facts.classes import CLASSES
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.string_skills import draw_tasks, held_out_specs
from skillweave.distill.worlds.types import OneTurn, Split

SPLITS: tuple[Split, ...] = ("pretrain", "train", "dev", "test")
HOSTILE = (
    "",
    "final:",
    "__import__('os').system('touch /tmp/x')",
    "final: __import__('os').system('touch /tmp/x')",
    "x" * 1_000_000,
    "final: " + "k " * 500_000,
    "final: \udcff\ud800",
    "final: k 4\nfinal: k 4",
)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_same_seed_draws_the_same_and_splits_are_disjoint(level: int) -> None:
    skill = WORLD.skill(level, seed=5)
    assert skill == WORLD.skill(level, seed=5) != WORLD.skill(level, seed=6)
    ledger = SplitLedger()
    used: set[str] = set()
    for split in SPLITS:
        drawn = WORLD.tasks(skill, split, 60, seed=1, exclude=used)
        assert drawn == WORLD.tasks(skill, split, 60, seed=1, exclude=used)
        assert drawn[:9] == WORLD.tasks(skill, split, 9, seed=1, exclude=used)
        assert drawn != WORLD.tasks(skill, split, 60, seed=2, exclude=used)
        assert len({task.id for task in drawn}) == 60
        ledger.record(split, (task.id for task in drawn))
        used |= {task.id for task in drawn}
    assert sum(ledger.counts().values()) == 240


def test_a_small_table_still_has_requests_for_a_training() -> None:
    for seed in range(8):
        assert len(WORLD.tasks(WORLD.skill(1, seed=seed), "train", 500, seed=0)) == 500


def test_a_table_that_has_no_more_requests_says_so() -> None:
    with pytest.raises(ValueError, match="in a row that are used already; ask for fewer"):
        WORLD.tasks(WORLD.skill(1, seed=0), "test", 3000, seed=0)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_expert_always_passes_and_a_guess_hardly_ever(level: int) -> None:
    passed = guessed = total = 0
    for seed in range(50):
        rng = random.Random(seed)
        for task in WORLD.tasks(WORLD.skill(level, seed=seed), "test", 4, seed=seed):
            episode = task.environment()
            assert isinstance(episode, OneTurn)
            total += 1
            passed += episode.step(episode.expert() or "").terminated and episode.verdict().passed
            guessed += task.verify(WORLD.guess(task, rng)).passed
    assert passed == total == 200
    assert guessed / total <= WORLD.spec.random_rate


def test_no_manipulation_can_be_guessed() -> None:
    rng = random.Random(0)
    for name in MANIPULATIONS:
        skill = knowledge_split([name], num_source=1, num_target=0, seed=0).source[0]
        tasks = WORLD.tasks(skill, "train", 100, seed=0)
        passed = [t.verify(WORLD.guess(t, rng)).passed for t in tasks for _ in range(3)]
        assert sum(passed) / 300 <= 0.15, name


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_answers_get_nothing(text: str) -> None:
    for task in WORLD.tasks(WORLD.skill(3, seed=0), "test", 2, seed=0):
        verdict = task.verify(text)
        assert (verdict.passed, verdict.reward) == (False, 0.0)
        assert task.environment().step(text).reward == 0.0


def test_a_request_says_no_code_no_skill_and_no_class() -> None:
    for level in (1, 2, 3):
        for seed in range(10):
            skill = WORLD.skill(level, seed=seed)
            for task in WORLD.tasks(skill, "test", 10, seed=seed):
                words = set(re.findall("[a-z]+", task.request))
                assert not words & {*CLASSES, "facts", "list", "table"}
                codes = [" ".join(code) for _, code in task.asked]
                said = [code for code in codes if f"code {code}" in task.request]
                assert bool(said) == (task.manipulation == "invert")


def test_half_of_the_test_requests_open_as_no_others_do() -> None:
    skill = WORLD.skill(2, seed=0)
    drawn = WORLD.tasks(skill, "test", 40, seed=0)
    assert [task.wording for task in drawn] == ["seen", "unseen"] * 20
    openings = ("one more", "this is the last one", "before we go", "could you do this")
    for split in SPLITS:
        for task in WORLD.tasks(skill, split, 40, seed=0):
            assert task.request.startswith(openings) == (task.wording == "unseen")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_held_out_skills_are_held_out_and_the_others_are_not(level: int) -> None:
    for seed in range(30):
        spec = spec_of(WORLD.skill(level, seed=seed))
        assert all(is_fact_held_out(*fact) for fact in spec.facts)
        held = [is_asking_held_out(name, spec.entity_class) for name in spec.manipulations]
        assert any(held) == (level > 1)
        assert {MANIPULATIONS[name].level for name in spec.manipulations} == {level}
        shown = spec_of(WORLD.skill(level, seed=seed, held_out=False))
        assert not is_held_out(shown)
        assert len({len(code) for _, code in shown.facts}) == 2


def test_a_skill_is_a_folder_that_the_strict_judge_accepts(tmp_path: Path) -> None:
    for seed in range(10):
        made = WORLD.skill(1 + seed % 3, seed=seed)
        assert writing_problems(made) == []
        folder = write_skill(made, tmp_path / str(seed) / made.name).parent
        assert validate_skill(folder) == []
        read, warnings = read_skill(folder)
        assert warnings == []
        assert (read.body, spec_of(read)) == (made.body, spec_of(made))


def test_a_body_says_every_fact_and_a_description_none() -> None:
    for seed in range(60):
        skill = WORLD.skill(1, seed=seed)
        for entity, code in spec_of(skill).facts:
            assert entity in skill.body
            assert " ".join(code) in skill.body
            assert entity in skill.description
            assert " ".join(code) not in skill.description


def test_the_same_table_is_asked_otherwise() -> None:
    skill = WORLD.skill(2, seed=0)
    recall = asking(skill, ("recall",))
    assert (recall.name, recall.body) == (skill.name, skill.body)
    assert spec_of(recall).facts == spec_of(skill).facts
    assert {task.manipulation for task in WORLD.tasks(recall, "dev", 20, seed=0)} == {"recall"}
    with pytest.raises(ValueError, match="expected some of recall, "):
        asking(skill, ("forget",))


def test_tasks_of_another_world_are_refused() -> None:
    with pytest.raises(ValueError, match="level 9 does not exist"):
        WORLD.skill(9, seed=0)
    other = draw_tasks(held_out_specs(0)[0], family="f", split="dev", num_tasks=1, seed=0)[0]
    with pytest.raises(ValueError, match="expected a task of the world 'facts', got StringTask"):
        WORLD.guess(other, random.Random(0))
    skill = WORLD.skill(1, seed=0)
    skill.metadata["skillweave.world"] = "chess"  # type: ignore[index]
    with pytest.raises(SkillError, match=r"names the world 'chess' .* expected 'facts'"):
        documents(skill)


def test_documents_say_every_fact_in_every_wording_and_nothing_else() -> None:
    skill = WORLD.skill(1, seed=3)
    facts = spec_of(skill).facts
    said = documents(skill)
    assert len(said) == len(set(said)) == 7 * len(facts)
    for entity, code in facts:
        pattern = re.compile(rf"\b{entity}\b.* {' '.join(code)}\b|\b{' '.join(code)} .*{entity}\b")
        assert len([text for text in said if pattern.search(text)]) == 7


def test_a_knowledge_split_has_other_entities_and_the_same_manipulation() -> None:
    split = knowledge_split(["reverse"], num_source=4, num_target=2, seed=1)
    assert split == knowledge_split(["reverse"], num_source=4, num_target=2, seed=1)
    assert (len(split.source), len(split.target)) == (4, 2)
    entities = [e for s in (*split.source, *split.target) for e, _ in spec_of(s).facts]
    assert len(entities) == len(set(entities))
    for skill in (*split.source, *split.target):
        assert spec_of(skill).manipulations == ("reverse",)
        assert all(is_fact_held_out(*fact) for fact in spec_of(skill).facts)
    with pytest.raises(ValueError, match="asked for 20 tables, expected at most 13"):
        knowledge_split(["reverse"], num_source=10, num_target=10, seed=0)


def test_an_id_is_made_of_the_content() -> None:
    task = WORLD.tasks(WORLD.skill(1, seed=0), "dev", 1, seed=0)[0]
    again = FactTask(task.family, "test", task.request, task.manipulation, task.asked)
    assert again.id == task.id
    assert FactTask("x", "test", task.request, task.manipulation, task.asked).id != task.id
    assert task.meta["world"] == "facts"
    assert task.messages == ({"role": "user", "content": task.request},)
