"""The arms: which model string and which text stand for each, and how an item is asked."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from skillweave.adapters.skills import Skill
from skillweave.distill import skill_arms
from skillweave.distill.evaluation import Arm, several_samples
from skillweave.distill.evaluation.types import Answer
from skillweave.distill.policy import Sampling
from skillweave.distill.token_meter import tiny_meter
from skillweave.distill.worlds.checkers import Checker, checker_of
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.string_skills import held_out_specs, string_skill
from skillweave.distill.worlds.types import Task

SKILLS = [string_skill(spec, seed=3) for spec in held_out_specs(3)]
REFS = {skill.name: f"{skill.name}@1" for skill in SKILLS}


def checkers() -> dict[str, Checker]:
    found = {skill.name: checker_of(skill) for skill in SKILLS}
    return {name: checker for name, checker in found.items() if checker is not None}


def test_the_arms_say_what_is_asked() -> None:
    name = SKILLS[0].name
    none, text = skill_arms.none_arm(), skill_arms.text_arm(SKILLS)
    named, auto = skill_arms.named_arm(REFS), skill_arms.auto_arm()
    assert (none.model_for(name), none.system_for(name)) == ("base", None)
    assert (text.model_for(name), text.system_for(name)) == ("base", SKILLS[0].body.strip())
    assert (named.model_for(name), named.system_for(name)) == (f"{name}@1", None)
    assert (auto.model_for(name), auto.system_for(name)) == ("auto", None)
    assert skill_arms.shared_arm("all@2").model_for(name) == "all@2"
    arms = [none, text, named, auto, skill_arms.shared_arm("x")]
    assert len({arm.name for arm in arms}) == 5
    assert all(arm.about.endswith(".") for arm in arms)


def test_the_wrong_adapter_is_never_ones_own_and_every_adapter_is_somebodys() -> None:
    for num in (2, 3, 6):
        refs = dict(list(REFS.items())[:num])
        wrong = skill_arms.wrong_arm(refs)
        assert all(wrong.model_for(name) != ref for name, ref in refs.items())
        assert Counter(wrong.models.values()) == Counter(refs.values())
    with pytest.raises(ValueError, match="at least 2 skills, got 1"):
        skill_arms.wrong_arm({"a": "a@1"})


def test_a_skill_without_an_adapter_lends_none() -> None:
    refs = {"a": "a@1", "b": skill_arms.BASE, "c": "c@1"}
    assert skill_arms.wrong_arm(refs).models == {"a": "c@1", "b": "c@1", "c": "a@1"}
    alone = {"a": "a@1", "b": skill_arms.BASE}
    assert skill_arms.wrong_arm(alone).models == {"a": skill_arms.BASE, "b": "a@1"}


@pytest.mark.parametrize("seed", range(5))
def test_the_irrelevant_text_is_within_a_tenth_as_long_as_the_skills_own(seed: int) -> None:
    arm = skill_arms.irrelevant_arm(SKILLS, seed=seed)
    assert arm == skill_arms.irrelevant_arm(SKILLS, seed=seed)
    meter = tiny_meter()
    for skill in SKILLS:
        text = arm.system_for(skill.name)
        assert text
        tokens = meter.count_tokens(skill.body)
        assert 0.9 * tokens <= meter.count_tokens(text) <= 1.1 * tokens
        assert meter.byte_share(text) == 0.0


def items(exclude: Mapping[str, set[str]], ledger: SplitLedger | None = None) -> list[Task]:
    return skill_arms.held_out_items(
        checkers(), num_items=10, seed=0, exclude=exclude, ledger=ledger or SplitLedger()
    )


def test_the_ledger_finds_a_request_that_the_caller_forgot_to_exclude() -> None:
    one, *_ = items({})
    ledger = SplitLedger()
    ledger.record("train", {one.id})
    with pytest.raises(ValueError, match=f"task {one.id} is in split 'train' and again in 'test'"):
        items({}, ledger)
    ledger = SplitLedger()
    ledger.record("train", {one.id})
    assert one not in items({one.family: {one.id}}, ledger)
    assert ledger.counts() == {"train": 1, "test": 60}


def test_items_are_held_out_requests_of_every_skill() -> None:
    drawn = items({})
    assert Counter(item.family for item in drawn) == dict.fromkeys(REFS, 10)
    assert {item.split for item in drawn} == {"test"}
    assert Counter(item.meta["wording"] for item in drawn) == {"seen": 30, "unseen": 30}
    # What was trained on does not come up.
    name = drawn[0].family
    trained = {item.id for item in drawn if item.family == name}
    again = items({name: trained})
    assert not trained & {item.id for item in again}
    assert [item for item in again if item.family != name] == [
        item for item in drawn if item.family != name
    ]


class Echo:
    """A policy that keeps what it was asked and answers with its model string."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Mapping[str, str]], str, Sampling]] = []

    async def complete(
        self, messages: Sequence[Mapping[str, str]], *, model: str, sampling: Sampling
    ) -> Answer:
        self.asked.append((list(messages), model, sampling))
        return Answer(model, 5, 1, {"x-skillweave-adapter": "a"}, 0.5, 1.5)


@pytest.mark.parametrize("system", [None, "Reverse."])
def test_an_item_is_asked_under_its_arm(skill: Skill, system: str | None) -> None:
    checker = checker_of(skill)
    assert checker is not None
    (item,) = checker.tasks("test", 1, seed=0)
    policy, sampling = Echo(), Sampling(max_tokens=9)
    arm = Arm("x", "About.", model="m@1", system=system)
    answer = asyncio.run(skill_arms.AskServed(policy, sampling)(arm, item))
    told = [] if system is None else [{"role": "system", "content": system}]
    assert policy.asked == [([*told, *item.messages], "m@1", sampling)]
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("m@1", 5, 1)
    assert (answer.ttft_s, answer.wall_s) == (0.5, 1.5)
    assert answer.headers == {"x-skillweave-adapter": "a"}


def test_samples_of_an_item_are_drawn_each_by_a_seed_of_its_own(skill: Skill) -> None:
    checker = checker_of(skill)
    assert checker is not None
    (item,) = checker.tasks("test", 1, seed=0)
    policy = Echo()
    ask = skill_arms.AskServed(policy, Sampling(max_tokens=9))
    for _ in range(2):
        for sample in several_samples([item], 2):
            asyncio.run(ask(Arm("x", "About."), sample))
    drawn = [sampling for _, _, sampling in policy.asked]
    assert {(s.temperature, s.max_tokens) for s in drawn} == {(1.0, 9)}
    assert drawn[:2] == drawn[2:]
    assert drawn[0].seed != drawn[1].seed
