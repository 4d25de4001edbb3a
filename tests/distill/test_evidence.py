"""Evidence decides the form: adapter, text or none, by what dev requests show."""

import asyncio
from pathlib import Path

import pytest
from skillweave.adapters.card import Card
from skillweave.adapters.skills import Skill, system_prompt
from skillweave.adapters.store.store import Store
from skillweave.distill.demonstrations import Yield
from skillweave.distill.evaluation import Answer, Arm
from skillweave.distill.evaluation.types import Item
from skillweave.distill.evidence import Proof, attest, prove
from skillweave.distill.learning.sft import SftResult, SftSettings, train_lora
from skillweave.distill.preflight import TextGain
from skillweave.distill.rendering import TokenRow
from skillweave.distill.skill_training import Carried, Lesson
from skillweave.distill.workbench import Workbench
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks


@pytest.fixture
def carried(skill: Skill, small_base_dir: Path, tmp_path: Path) -> tuple[Carried, Store]:
    """A stored adapter; what it can do is the script's business."""
    bench = Workbench(small_base_dir, Store(tmp_path / "store"))
    rows = [TokenRow((1, 5, 7), (False, False, True))] * 2
    settings = SftSettings(rank=1, epochs=1)
    train_lora(
        bench.model, rows, settings=settings, seed=0, out=tmp_path / "a", base_name="b", pad=0
    )
    card = Card(kind="skill", base=bench.identity.for_card(), skill_name=skill.name)
    version = bench.store.put(tmp_path / "a", card=card, name=skill.name, base=bench.identity)
    lesson = Lesson(skill, (), TextGain(1, 0, 1), Yield(1, 0, 0, 1, 1), 0.0)
    return Carried(skill, version, lesson, SftResult(1, 1, 0.0, None, 1, 0.0)), bench.store


def proof(one: Carried, spec: SkillSpec, *, none: float, text: float, adapter: float) -> Proof:
    """Each arm passes this share of 20 dev requests."""
    items = draw_tasks(spec, family=one.skill.name, split="dev", num_tasks=20, seed=0)
    place = {task.id: index for index, task in enumerate(items)}
    expected = {task.id: task.expected for task in items}

    async def ask(arm: Arm, item: Item, /) -> Answer:
        told = arm.system_for(item.family) == system_prompt(one.skill)
        adapted = arm.model_for(item.family) == one.model
        share = text if told else adapter if adapted else none
        right = place[item.id] < share * len(items)
        return Answer(f"final: {expected[item.id]}" if right else "no idea", 1, 1)

    return asyncio.run(prove(one, items, ask=ask, base=one.version.base, seed=0))


@pytest.mark.parametrize(
    ("none", "text", "adapter", "form"),
    [
        (0.0, 1.0, 1.0, "adapter"),
        (0.0, 1.0, 0.95, "adapter"),
        (0.0, 1.0, 0.8, "text"),  # carries most of it, but the text does better
        (0.0, 1.0, 0.2, "text"),  # gains less than 30 points
        (0.0, 0.0, 0.9, "adapter"),  # what the text cannot do the adapter may
        (0.9, 0.9, 0.9, "none"),  # the base needs neither
        (0.0, 0.0, 0.0, "none"),
    ],
)
def test_the_form_follows_the_figures(
    carried: tuple[Carried, Store],
    spec: SkillSpec,
    none: float,
    text: float,
    adapter: float,
    form: str,
) -> None:
    found = proof(carried[0], spec, none=none, text=text, adapter=adapter)
    assert found.form == form, found.reason
    assert found.means == {"none": none, "text": text, "s2l": adapter}
    assert found.n == 20


def test_the_proof_is_appended_to_the_version(
    carried: tuple[Carried, Store], spec: SkillSpec
) -> None:
    one, store = carried
    found = proof(one, spec, none=0.0, text=1.0, adapter=1.0)
    attest(store, one.version, found)
    (stored,) = store.attestations(one.version.version_digest)
    assert stored["form"] == "adapter"
    assert stored["base"] == one.version.base
    assert (stored["split"], stored["n"]) == ("dev", 20)
    assert stored["means"] == {"none": 0.0, "text": 1.0, "s2l": 1.0}
