"""Tasks of functions by seed and split, hostile answers, rates, atoms and other depths."""

import itertools
import random
from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.skills import read_skill, validate_skill, write_skill, writing_problems
from skillweave.distill.worlds.facts import WORLD as FACTS
from skillweave.distill.worlds.fg import (
    WORLD,
    Compositions,
    FunctionsSpec,
    asking,
    atoms,
    draw_call,
    functions_skill,
    held_out_compositions,
    is_name_held_out,
    spec_of,
)
from skillweave.distill.worlds.fg.draws import part_results
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.string_skills import Operation
from skillweave.distill.worlds.types import OneTurn, Split

LEVELS = (1, 2, 3, 4, 5)
SPLITS: tuple[Split, ...] = ("pretrain", "train", "dev", "test")
HOSTILE = (
    "",
    "final:",
    "__import__('os').system('touch /tmp/x')",
    "final: __import__('os').system('touch /tmp/x')",
    "x" * 1_000_000,
    "final: " + "k " * 500_000,
    "final: \udcff\ud800",
    "final: b\nfinal: b",
)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_draws_the_same_and_splits_are_disjoint(level: int) -> None:
    skill = WORLD.skill(level, seed=5)
    assert skill == WORLD.skill(level, seed=5) != WORLD.skill(level, seed=6)
    ledger = SplitLedger()
    used: set[str] = set()
    for split in SPLITS:
        drawn = WORLD.tasks(skill, split, 30, seed=1, exclude=used)
        assert drawn == WORLD.tasks(skill, split, 30, seed=1, exclude=used)
        assert drawn[:9] == WORLD.tasks(skill, split, 9, seed=1, exclude=used)
        assert drawn != WORLD.tasks(skill, split, 30, seed=2, exclude=used)
        assert {len(task.chain) for task in drawn} == {level}
        ledger.record(split, (task.id for task in drawn))
        used |= {task.id for task in drawn}
    assert ledger.counts() == dict.fromkeys(SPLITS, 30)


@pytest.mark.parametrize("level", LEVELS)
def test_the_expert_always_passes_and_a_guess_hardly_ever(level: int) -> None:
    passed = guessed = copied = total = 0
    for seed in range(50):
        rng = random.Random(seed)
        for task in WORLD.tasks(WORLD.skill(level, seed=seed), "test", 2, seed=seed):
            episode = task.environment()
            assert isinstance(episode, OneTurn)
            total += 1
            passed += episode.step(episode.expert() or "").terminated and episode.verdict().passed
            guessed += task.verify(WORLD.guess(task, rng)).passed
            copied += task.verify(f"final: {' '.join(task.items)}").passed
    assert passed == total == 100
    assert guessed / total <= WORLD.spec.random_rate
    assert copied == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_answers_get_nothing(text: str) -> None:
    for task in WORLD.tasks(WORLD.skill(3, seed=0), "test", 2, seed=0):
        verdict = task.verify(text)
        assert (verdict.passed, verdict.reward) == (False, 0.0)
        assert task.environment().step(text).reward == 0.0
        assert task.failure(text) != "none"


@pytest.mark.parametrize("level", LEVELS)
def test_held_out_skills_are_held_out_and_the_others_are_not(level: int) -> None:
    for seed in range(8):
        skill, shown = (WORLD.skill(level, seed=seed, held_out=held) for held in (True, False))
        spec = spec_of(skill)
        assert 2 <= len(spec.functions) <= 4
        assert all(is_name_held_out(name, op.kind) for name, op in spec.functions)
        for task in WORLD.tasks(skill, "test", 6, seed=seed):
            held_out = bool(held_out_compositions(spec.operations(task.chain)))
            assert held_out == (level > 1) == (task.composition == "held-out")
        for task in WORLD.tasks(shown, "test", 6, seed=seed):
            assert task.composition == "seen"
            for name, op in spec_of(shown).functions:
                assert not is_name_held_out(name, op.kind)


def test_lists_stay_short_and_no_call_can_be_answered_by_a_part_of_it() -> None:
    for level in LEVELS:
        skill = WORLD.skill(level, seed=9)
        for task in WORLD.tasks(skill, "train", 40, seed=0):
            assert 3 <= len(task.items) <= 5
            assert all(1 <= len(state) <= 8 for state in task.states)
            for length in range(level):
                for part in itertools.combinations(task.chain, length):
                    states = (task.items, *spec_of(skill).states(part, task.items))
                    assert states[-1] != task.states[-1]


def test_results_of_the_parts_of_a_call_by_hand() -> None:
    functions = (("blim", Operation("reverse")), ("dax", Operation("append", ("k",))))
    spec = FunctionsSpec(functions, 2)
    parts = part_results(spec, ("dax", "blim"), ("b", "c"))
    assert parts == {("b", "c"), ("b", "c", "k"), ("c", "b")}


def test_a_skill_is_a_folder_that_the_strict_judge_accepts(tmp_path: Path) -> None:
    for seed in range(10):
        made = WORLD.skill(1 + seed % 5, seed=seed)
        assert writing_problems(made) == []
        folder = write_skill(made, tmp_path / str(seed) / made.name).parent
        assert validate_skill(folder) == []
        read, warnings = read_skill(folder)
        assert warnings == []
        assert (read.body, spec_of(read)) == (made.body, spec_of(made))
        for name, _ in spec_of(made).functions:
            assert name in made.body
            assert name in made.description
            assert name not in made.name


def test_the_same_functions_at_another_depth_or_only_some_of_them() -> None:
    skill = WORLD.skill(1, seed=3)
    names = [name for name, _ in spec_of(skill).functions]
    deeper = asking(skill, 2)
    assert (deeper.name, deeper.body) == (skill.name, skill.body)
    assert {len(task.chain) for task in WORLD.tasks(deeper, "dev", 20, seed=0)} == {2}
    alone = asking(skill, 1, functions=names[:1])
    assert {task.chain for task in WORLD.tasks(alone, "dev", 20, seed=0)} == {(names[0],)}
    kinds: tuple[Compositions, ...] = ("seen", "held-out")
    for wanted in kinds:
        some = asking(WORLD.skill(3, seed=1, held_out=wanted == "held-out"), 3, compositions=wanted)
        drawn = WORLD.tasks(some, "dev", 20, seed=0)
        assert {task.composition for task in drawn} == {wanted}
    with pytest.raises(ValueError, match="depth 2 needs two functions"):
        asking(skill, 2, functions=names[:1])
    with pytest.raises(ValueError, match="have no call of depth 1 with compositions 'held-out'"):
        asking(skill, 1, compositions="held-out")


def test_atoms_define_one_function_each_and_answer_the_calls_of_the_whole() -> None:
    skill = WORLD.skill(2, seed=4)
    functions = spec_of(skill).functions
    made = atoms(skill, seed=0)
    assert [spec_of(atom).functions for atom in made] == [(function,) for function in functions]
    assert [atom.name for atom in made] == [f"{skill.name}-{i}" for i in range(1, len(made) + 1)]
    for (name, _), atom in zip(functions, made, strict=True):
        assert writing_problems(atom) == []
        assert [other for other, _ in functions if other in atom.body] == [name]
        task = WORLD.tasks(atom, "train", 1, seed=0)[0]
        assert task.chain == (name,)
        assert task.states == spec_of(skill).states(task.chain, task.items)


def test_functions_that_no_list_suits_are_refused() -> None:
    mirror, double = Operation("mirror"), Operation("double")
    spec = FunctionsSpec((("blim", mirror), ("dax", double)), 2)
    with pytest.raises(ValueError, match="has no call on 3 to 5 symbols"):
        draw_call(spec, random.Random(0))
    with pytest.raises(ValueError, match="has no call on 3 to 5 symbols"):
        WORLD.tasks(functions_skill(spec, seed=0), "train", 1, seed=0)


def test_functions_that_run_out_of_requests_say_so() -> None:
    spec = FunctionsSpec((("blim", Operation("keep-first", ("2",))),), 1)
    skill = functions_skill(spec, seed=0)
    used = {task.id for task in WORLD.tasks(skill, "train", 400, seed=0)}
    assert not used & {task.id for task in WORLD.tasks(skill, "train", 400, seed=0, exclude=used)}


def test_there_is_no_sixth_level_and_no_task_of_another_world() -> None:
    for level in (0, 6):
        with pytest.raises(ValueError, match=f"level {level} does not exist in fg, expected 1 to"):
            WORLD.skill(level, seed=0)
    other = FACTS.tasks(FACTS.skill(1, seed=0), "dev", 1, seed=0)[0]
    with pytest.raises(ValueError, match="expected a task of the world 'fg', got FactTask"):
        WORLD.guess(other, random.Random(0))
    with pytest.raises(SkillError, match=r"names the world 'facts' .* expected 'fg'"):
        WORLD.tasks(FACTS.skill(1, seed=0), "dev", 1, seed=0)
    assert WORLD.spec.out_of_range == (4, 5)
