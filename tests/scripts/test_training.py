"""What `train` says after training: the form that dev requests lead to, or that none were asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from skillweave.adapters.skills import Skill, read_skill, write_skill
from skillweave.adapters.store.store import Store
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes.s2l import S2L
from skillweave.distill.serving import Launch, Served, ServePlan
from skillweave.distill.worlds.string_skills import (
    CHECKER_KEY,
    Operation,
    SkillSpec,
    string_skill,
    worked_answer,
)
from skillweave.scripts.training import NUM_DEV, Endpoint, Row, train_all

from ..distill.followers import NO_IDEA, follow_the_text, items_of, system_of
from ..distill.scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher
from ..small_base import make_small_base

SMALL = S2L(
    num_requests=8,
    preflight_requests=2,
    min_demonstrations=2,
    sft=SftSettings(rank=1, epochs=1, batch_rows=8),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def skill(tmp_path: Path) -> Skill:
    spec = SkillSpec((Operation("reverse"), Operation("double")), "bars", "farm")
    made = string_skill(spec, seed=0)
    return read_skill(write_skill(made, tmp_path / made.name).parent)[0]


def launch(skill: Skill, *, obey: bool, publishes: bool = True) -> Launch:
    """A server that follows texts, and under the published adapter works or has no idea."""
    spec = SkillSpec.from_json(skill.metadata[CHECKER_KEY])
    refs: set[str] = set()

    def answer(body: Body) -> Reply:
        model = str(body["model"])
        if system_of(body) or model == "base":
            return follow_the_text(body)
        assert model.removesuffix(":adapter") in refs
        return Answer(worked_answer(spec, items_of(body))) if obey else NO_IDEA

    def door(verb: str, body: Body) -> Reply:
        assert verb == "publish"
        refs.add(str(body["ref"]))
        return Raw(body="{}") if publishes else Raw(409, json.dumps({"error": "no slot is free"}))

    @contextmanager
    def start(plan: ServePlan) -> Iterator[Served]:
        with ScriptedTeacher(answer, admin=door) as running:
            yield running

    return start


def trained(skill: Skill, base: Path, store: Store, start: Launch) -> Row:
    (row,) = train_all(
        [skill], base=base, store=store, teacher=None, seed=0, force=False,
        launch=start, config=SMALL,
    )  # fmt: skip
    return row


@pytest.mark.parametrize(("obey", "form"), [(True, "adapter"), (False, "text")])
def test_the_form_of_a_new_version_follows_dev_requests(
    skill: Skill, base: Path, tmp_path: Path, obey: bool, form: str
) -> None:
    store = Store(tmp_path / "store")
    row = trained(skill, base, store, launch(skill, obey=obey))
    assert (row["status"], row["form"]) == ("trained", form)
    assert row["dev"] == f"none 0% text 100% s2l {'100' if obey else '0'}% of {NUM_DEV}"
    training, proof = store.attestations(store.resolve(skill.name).version_digest)
    assert training["type"] == "training"
    assert (proof["form"], proof["split"], proof["n"]) == (form, "dev", NUM_DEV)


def test_an_adapter_that_could_not_be_measured_is_a_failure_that_names_it(
    skill: Skill, base: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    row = trained(skill, base, store, launch(skill, obey=True, publishes=False))
    assert (row["status"], row["ref"]) == ("failed", store.resolve(skill.name).ref)
    assert f"{row['ref']} is stored, but not measured: " in str(row["reason"])
    assert "no slot is free" in str(row["reason"])


def test_a_teachers_label_holds_no_secret() -> None:
    at = Endpoint("https://me:secret@example.org:8/v1?key=secret", "big", "secret")
    assert at.label == "big at https://example.org:8/v1"
