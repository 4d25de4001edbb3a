"""SkillJuror against a server that looks codes up in the text, or in a book it has by heart.

The server answers rightly where it knows every code that a request needs: from the facts in the
system message, or under an adapter's name from that adapter's document. So the verdict is known
beforehand, and everything between is real: layouts, reader, demonstrations, training, arms, layers.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from skillweave.adapters import Store
from skillweave.distill.evaluation import Budget, BudgetExceeded, RecipeVerdict
from skillweave.distill.learning.settings import SftSettings
from skillweave.distill.recipes import RecipeContext, recipe_table, verdict_of
from skillweave.distill.recipes.skilljuror import ASKED, SkillJuror, fit
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.skill_documents import facts_in
from skillweave.distill.skill_documents.tables import document_of
from skillweave.distill.worlds.facts import MANIPULATIONS, knowledge_split, worked_answer

from ..followers import NO_IDEA, system_of, turns
from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher

SMALL = SkillJuror(
    num_requests=8,
    num_tables=3,
    num_items=12,
    sft=SftSettings(rank=1, epochs=1, batch_rows=8),
)
Codes = Mapping[str, str]
Heart = Callable[[Codes], Codes]
"""What an adapter has kept of the codes of its document."""


def looked_up(request: str, codes: Codes) -> Reply:
    """The worked answer where every code that is asked for is known."""
    for name in reversed(ASKED):
        for phrase in MANIPULATIONS[name].phrases:
            pattern = re.escape(phrase).replace(r"\{a\}", r"(?P<a>\w+)")
            asked = re.search(pattern.replace(r"\{b\}", r"(?P<b>\w+)"), request)
            if asked:
                keys = [asked[group] for group in ("a", "b") if group in asked.groupdict()]
                if not all(key in codes for key in keys):
                    return NO_IDEA
                return Answer(worked_answer(name, [(k, tuple(codes[k].split())) for k in keys]))
    return NO_IDEA


@dataclass
class BookServer:
    """A `Launch`; `heart` says what an adapter knows, `reads` how many facts a text may hold."""

    heart: Heart
    reads: int = 40
    plans: list[ServePlan] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    books: dict[str, Codes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        num = SMALL.num_tables
        drawn = knowledge_split(ASKED, num_source=num, num_target=num, seed=1)
        for name, tables in (("first-book", drawn.source), ("second-book", drawn.target)):
            self.books[name] = {fact.key: fact.value for fact in document_of(tables).facts}

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        self.plans.append(plan)
        with ScriptedTeacher(self._answer, admin=self._admin) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        model = str(body["model"]).removesuffix(":adapter")
        facts = facts_in(system_of(body))
        codes: Codes = {f.key: f.value for f in facts} if len(facts) <= self.reads else {}
        if model != "base":
            if model not in self.published:
                return Raw(404, '{"error": {"message": "unknown model"}}')
            codes = self.heart(self.books[model.partition("@")[0].rpartition("/")[2]])
        return looked_up(turns(body)[-1]["content"], codes)

    def _admin(self, verb: str, body: Body) -> Reply:
        assert verb == "publish"
        self.published.append(str(body["ref"]))
        return Raw(body="{}")


def run(server: BookServer, base: Path, tmp_path: Path) -> tuple[RecipeVerdict, Store]:
    store = Store(tmp_path / "store")
    context = RecipeContext(base, store, tmp_path / "work", 1, server, world="facts")
    return verdict_of("skilljuror", recipe_table()["skilljuror"], SMALL, context), store


def means(verdict: RecipeVerdict) -> dict[str, float]:
    return {name: arm.mean for name, arm in verdict.arms.items()}


def test_the_settings_and_the_shipped_file_agree(repository: Path) -> None:
    text = (repository / "configs" / "recipes" / "skilljuror.toml").read_text()
    assert SkillJuror.model_validate(tomllib.loads(text)) == SkillJuror()


def test_a_budget_of_rollouts_sets_the_requests_of_a_table() -> None:
    config = SkillJuror(num_tables=2, num_requests=50)
    assert fit(config, Budget({"rollouts": 100})).num_requests == 25
    assert fit(config, Budget({"rollouts": 1000})).num_requests == 50
    assert fit(config, Budget({"tokens": 5})) == config
    with pytest.raises(BudgetExceeded, match=r"31 rollouts .* at least 32; raise the budget$"):
        fit(config, Budget({"rollouts": 31}))


@pytest.mark.slow
def test_adapters_that_know_their_document_meet_the_criterion(
    small_base_dir: Path, tmp_path: Path
) -> None:
    server = BookServer(heart=lambda book: book)
    verdict, store = run(server, small_base_dir, tmp_path)
    assert verdict.status == "works"
    seen = means(verdict)
    assert seen.pop("chunked") <= 1.0
    assert seen == {
        "none": 0.0, "flat": 1.0, "progressive": 1.0, "shuffled": 0.0, "adapter": 1.0, "wrong": 0.0
    }  # fmt: skip
    assert {arm.n for arm in verdict.arms.values()} == {6 * 12}
    assert verdict.rollouts == 6 * 8
    assert [(plan.rank, plan.slots) for plan in server.plans] == [(1, 2)]
    assert sorted(server.published) == sorted(version.ref for version in store.list())
    # Beside the criterion's own comparisons stand those that are only reported.
    assert [(c.a, c.b) for c in verdict.comparisons[-3:]] == [
        ("progressive", "flat"), ("progressive", "chunked"), ("adapter", "flat")
    ]  # fmt: skip
    # A third of the requests need two tables: the root, and one resource or two.
    (layers,) = [note for note in verdict.notes if note.startswith("progressive: ")]
    assert "touched 2.33, saw all 1.000, uptake 2.33, passed 1.000" in layers
    (flat,) = [note for note in verdict.notes if note.startswith("flat: ")]
    assert "touched 1.00, saw all 1.000, uptake 1.00" in flat
    (adapter,) = [note for note in verdict.notes if note.startswith("adapter: ")]
    assert "touched 0.00, saw all 0.000, uptake 0.00, passed 1.000" in adapter
    # The reader's calls cost: disclosure is not the cheapest text although its answers are short.
    assert verdict.arms["progressive"].tokens.prompt > 2 * verdict.arms["adapter"].tokens.prompt
    kinds = [note for note in verdict.notes if " items): " in note]
    assert [note.partition(" (")[0] for note in sorted(kinds)] == [
        "join", "join across sections", "recall", "reverse"
    ]  # fmt: skip
    assert any("first-book: " in note and "48 of 48" not in note for note in verdict.notes)


@pytest.mark.slow
def test_an_adapter_that_kept_half_of_its_document_is_reported_as_not_shown(
    small_base_dir: Path, tmp_path: Path
) -> None:
    def half(book: Codes) -> Codes:
        return dict(list(book.items())[::2])

    verdict, _ = run(BookServer(heart=half), small_base_dir, tmp_path)
    assert verdict.status == "not-shown"
    assert [clause.holds for clause in verdict.criterion.clauses][:2] == [False, True]
    assert 0.0 < verdict.arms["adapter"].mean < 0.9


@pytest.mark.slow
def test_a_base_that_reads_short_texts_alone_shows_what_disclosure_is_for(
    small_base_dir: Path, tmp_path: Path
) -> None:
    """Flat is beyond it, so the layout decides; where nothing helps there is no question."""
    verdict, _ = run(BookServer(heart=lambda book: book, reads=14), small_base_dir, tmp_path)
    assert (verdict.status, verdict.arms["flat"].mean) == ("works", 0.0)
    blind = BookServer(heart=lambda book: book, reads=0)
    verdict, store = run(blind, small_base_dir, tmp_path / "blind")
    assert (verdict.status, store.list()) == ("absent-phenomenon", [])
    assert sum("its arm asks the base" in note for note in verdict.notes) == 2
    assert set(means(verdict).values()) == {0.0}
