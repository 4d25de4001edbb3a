"""What a version was made of: its parts, its parents' parts, and everybody's teachers."""

import shutil
from pathlib import Path

import pytest
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, Parent, RecipeRecord
from skillweave.adapters.errors import UsageError
from skillweave.adapters.hub.origins import Stated, sources_of
from skillweave.adapters.licences import Source, publishable
from skillweave.adapters.store.layout import Layout
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version

NOTHING = Stated()


@pytest.fixture
def make(store: Store, adapter_dir: Path, card: Card, base: BaseIdentity) -> "Make":
    return Make(store, adapter_dir, card, base)


class Make:
    """Puts versions that differ in what their card says."""

    def __init__(self, store: Store, folder: Path, card: Card, base: BaseIdentity) -> None:
        self.store, self.folder, self.card, self.base = store, folder, card, base
        self.count = 0

    def __call__(
        self,
        *parents: Version,
        licence: str | None = None,
        teacher: str | None = None,
        evidence: dict[str, object] | None = None,
    ) -> Version:
        self.count += 1
        config = {"teacher": teacher} if teacher else {}
        card = self.card.model_copy(
            update={
                "seed": self.count,
                "licence": licence,
                "parents": tuple(
                    Parent(version_digest=p.version_digest, ref=p.ref) for p in parents
                ),
                "recipe": RecipeRecord(name="sft", config=config),
            }
        )
        name = f"a{self.count}"
        made = self.store.put(self.folder, card=card, name=name, base=self.base)
        if evidence is not None:
            self.store.attest(made.version_digest, evidence)
        return made


def said(
    store: Store, version: Version, stated: Stated = NOTHING, base: str | None = "apache-2.0"
) -> dict[str, str | None]:
    found = sources_of(store, version, stated=stated, base_licence=base)
    return {source.what: source.licence for source in found}


def test_a_version_of_its_own_needs_its_parts(make: Make) -> None:
    assert said(make.store, make(licence="mit")) == {"skill": "mit", "base": "apache-2.0"}
    bare = make()
    assert said(make.store, bare, base=None) == {"skill": None, "base": None}
    stated = Stated("mit", "gemma", "apache-2.0")
    assert said(make.store, bare, stated, base=None) == {
        "skill": "mit",
        "base": "gemma",
        "teacher": "apache-2.0",
    }


TRAINING: dict[str, object] = {"type": "training", "teacher": "big-model"}


def wrapped(document: dict[str, object]) -> dict[str, object]:
    return {"type": "imported", "from": {"repo": "x/y"}, "evidence": document}


@pytest.mark.parametrize(
    ("evidence", "teacher", "needed"),
    [
        (None, None, False),
        (None, "big-model", True),
        (TRAINING, None, True),
        (wrapped(TRAINING), None, True),
        (wrapped(wrapped(TRAINING)), None, True),
        ({"type": "training", "teacher": "base"}, None, False),
        ({"type": "eval", "teacher": "big-model"}, None, False),
    ],
)
def test_a_teacher_is_known_by_recipe_and_evidence_pulled_or_not(
    make: Make, evidence: dict[str, object] | None, teacher: str | None, needed: bool
) -> None:
    taught = make(licence="mit", teacher=teacher, evidence=evidence)
    other = make(licence="mit")
    grandchild = make(make(other, taught, licence="mit"), licence="mit")
    for version in (taught, grandchild):
        found = said(make.store, version)
        assert ("teacher" in found) is needed
        sources = sources_of(make.store, version, stated=NOTHING, base_licence="mit")
        problems = "\n".join(publishable(sources).problems)
        assert ("big-model answered; state it (--teacher-licence)" in problems) is needed
    assert said(make.store, grandchild, Stated(teacher="gemma"))["teacher"] == "gemma"


def test_parents_count_with_their_own_licences(make: Make) -> None:
    left, right = make(licence="gpl-3.0"), make()
    composed = make(left, right)  # its licence is unknown, because one of its parents' is
    keys = {f"skill of the parent {p.ref}": p.card.licence for p in (left, right)}
    assert said(make.store, composed) == {**keys, "base": "apache-2.0"}
    filled = said(make.store, composed, Stated(skill="mit"))
    assert filled == {**keys, f"skill of the parent {right.ref}": "mit", "base": "apache-2.0"}


def test_a_parent_that_is_not_here_is_never_published_for_everybody(
    make: Make, tmp_path: Path
) -> None:
    parent = make(licence="mit")
    composed = make(parent, licence="mit")
    shutil.rmtree(Layout(make.store.root).object(parent.version_digest))
    sources = sources_of(make.store, composed, stated=Stated(teacher="mit"), base_licence="mit")
    found = publishable(sources, stated="mit")
    assert found.licence is None
    assert f"parent {parent.ref} is unknown: it is not in this store" in found.problems[0]


def test_what_is_known_is_not_contradicted(make: Make) -> None:
    version = make(licence="gpl-3.0")
    assert said(make.store, version, Stated(skill="GPL-3.0-only"))["skill"] == "gpl-3.0"
    with pytest.raises(UsageError, match=r"--skill-licence mit: the skill is under gpl-3\.0"):
        said(make.store, version, Stated(skill="mit"))
    with pytest.raises(UsageError, match=r"--base-licence mit: the base is under apache-2\.0"):
        said(make.store, version, Stated(base="mit"))
    assert said(make.store, version, Stated(base="mit"), base=None)["base"] == "mit"


def test_a_remedy_of_its_own_replaces_the_option() -> None:
    found = publishable([Source("parent x", None, "pull it")])
    assert found.problems == ("the licence of the parent x is unknown: pull it",)
