"""The first gate: refusals that name the ways that work, before any model library is loaded."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from skillweave.adapters.errors import InvalidName, RefusedSkill, SkillError
from skillweave.adapters.skills import Skill
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.token_meter import tiny_meter
from skillweave.distill.trainable import checked, require_trainable

FREE_TEXT = "Write a commit message in the imperative mood and explain why in the body."
WAYS = r"`skillweave serve --skills DIR`.*`--base MODEL`.*docs/guide/skills\.md"


def test_a_skill_of_the_worlds_has_a_checker(skill: Skill) -> None:
    assert checked(skill, tiny_base_path()).family == "picnic-routine"


def test_a_skill_without_a_checker_is_refused_on_every_base(skill: Skill, tmp_path: Path) -> None:
    bare = dataclasses.replace(skill, metadata={})
    for base in (tiny_base_path(), tmp_path):
        with pytest.raises(RefusedSkill, match=rf"'picnic-routine' has no checker.*{WAYS}"):
            checked(bare, base)


def test_free_text_is_refused_on_the_shipped_base_with_the_share_seen(skill: Skill) -> None:
    foreign = dataclasses.replace(skill, body=FREE_TEXT)
    with pytest.raises(
        RefusedSkill, match=rf"\d\d% of its body's tokens .* expected at most 10%.*{WAYS}"
    ):
        require_trainable(foreign, meter=tiny_meter())


def test_free_text_with_a_checker_is_another_bases_business(skill: Skill, tmp_path: Path) -> None:
    foreign = dataclasses.replace(skill, body=FREE_TEXT)
    assert checked(foreign, tmp_path).family == "picnic-routine"


@pytest.mark.parametrize("body", ["", " \n\t"])
def test_an_empty_body_teaches_nothing(skill: Skill, body: str) -> None:
    with pytest.raises(RefusedSkill, match="has an empty body: there is nothing to learn"):
        require_trainable(dataclasses.replace(skill, body=body))


@pytest.mark.parametrize("name", ["base", "auto", "latest", "Picnic List"])
def test_a_name_that_the_store_cannot_keep_is_refused_first(skill: Skill, name: str) -> None:
    with pytest.raises(InvalidName):
        require_trainable(dataclasses.replace(skill, name=name, metadata={}))


def test_a_checker_that_cannot_be_read_is_an_error_of_the_skill(skill: Skill) -> None:
    with pytest.raises(SkillError, match="unreadable checker"):
        require_trainable(
            dataclasses.replace(skill, metadata=skill.metadata | {"skillweave.checker": "{}"})
        )


def test_a_refusal_loads_no_model_library() -> None:
    """A newcomer's own skill is refused at once."""
    program = (
        "import sys\n"
        "from skillweave.adapters.skills import Skill\n"
        "from skillweave.adapters.errors import RefusedSkill\n"
        "from skillweave.distill.tiny_base import tiny_base_path\n"
        "from skillweave.distill.trainable import checked\n"
        "heavy = {'torch', 'transformers', 'peft', 'vllm', 'openai'}\n"
        "try:\n"
        f"    checked(Skill('mine', 'Mine.', body={FREE_TEXT!r}), tiny_base_path())\n"
        "except RefusedSkill:\n"
        "    print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
