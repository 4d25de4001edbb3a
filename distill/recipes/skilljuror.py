"""SkillJuror: what a skill says, apart from how it is laid out (arXiv:2606.11543).

Matched layouts `l` of one set of facts `F`, checked on their texts before anything is asked,

    digest(read_back(l(F))) = digest(F),   l in {flat, progressive, chunked}

answer the same requests, and three layers are read: resources touched, uptake (a read that is
followed within three actions by something only that resource said), and what passed. The arm that
the paper lacks is `F` in an adapter: the progressive arm answers other requests, and what verifies
is learned with no text at all.

Departs: our rule of uptake (the paper's was not found); a scripted reader opens resources within
`reader_tokens` and the base answers from what was opened, so what is opened tells of the layout,
and only what the answer takes up tells of the model; a fact is a key with a code; two documents of
some 33 facts a seed, every request asked once (the paper: 82 tasks, five trials).
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ...adapters.skills import Skill
from ..demonstrations import Demonstration, Teacher, Yield, demonstrate
from ..evaluation import Above, Absent, Arm, Below, Budget, Criterion, diff, measured
from ..learning.settings import SftSettings
from ..policy import Policy
from ..skill_arms import BASE, AskServed, named_arm, none_arm
from ..skill_documents import Count, by_kind, layers_by_arm, layout_arms, matched
from ..skill_documents.reading_policy import ReadingPolicy
from ..skill_documents.tables import document_of
from ..skill_training import MIN_ROWS, SkillTraining
from ..worlds.facts import knowledge_split, tasks_across
from ..worlds.types import Split, Task
from .course import Course, open_course
from .lessons import FEWEST_REQUESTS, requests_within
from .run import Finished, Recipe, RecipeContext
from .slices import slice_notes

ASKED = ("recall", "reverse", "join")
"""How a table is asked of its own facts; of two tables a join is asked."""

CRITERION = Criterion(
    statement="Facts in an adapter are used as well as facts that are disclosed, for half the "
    "prompt of the answering call, and they are this adapter's.",
    preconditions=(
        Above(what=diff("progressive", "none"), bar=0.30),
        Above(what=diff("progressive", "shuffled"), bar=0.30),
    ),
    clauses=(
        Above(what=diff("adapter", "progressive"), bar=-0.03, on="lower"),
        Below(what=measured("prompt_share"), bar=0.5),
        Above(what=diff("adapter", "wrong"), bar=0.30),
    ),
)
REPORTED = (("progressive", "flat"), ("progressive", "chunked"), ("adapter", "flat"))


class SkillJuror(SkillTraining):
    """Settings of the recipe; requests are counted a table, and a third of them need another."""

    type: Literal["skilljuror"] = "skilljuror"
    num_requests: int = Field(default=96, ge=FEWEST_REQUESTS)
    """Requests for learning."""
    num_tables: int = Field(default=6, ge=2, le=6)
    """Tables of each of the two documents; a table has four to seven facts."""
    num_items: int = Field(default=24, ge=3)
    """Held-out requests in the evaluation."""
    reader_tokens: int = Field(default=130, ge=1)
    """Tokens of resources that the reader may open; the base never saw a longer text."""
    sft: SftSettings = SftSettings(epochs=6)


def run(config: SkillJuror, context: RecipeContext) -> Finished:
    """Check the layouts, learn from the progressive arm, ask all arms, read the layers."""
    num, budget = config.num_tables, config.reader_tokens
    drawn = knowledge_split(ASKED, num_source=num, num_target=num, seed=context.seed)
    books = {"first-book": drawn.source, "second-book": drawn.target}
    texts = {name: matched(document_of(tables)) for name, tables in books.items()}
    shelf = {table.name: name for name, tables in books.items() for table in tables}
    said = {table: texts[name] for table, name in shelf.items()}
    with open_course("skilljuror", config, context, adapters=len(books)) as course:
        encode = course.bench.tokenizer.encode

        def count(text: str) -> int:
            return len(encode(text, add_special_tokens=False))

        items = [t for b in books.values() for t in requests(course, b, "test", config.num_items)]
        learned = {}
        for name, tables in books.items():
            asked = requests(course, tables, "train", config.num_requests, exclude=items)
            text = texts[name].system("progressive", budget=budget)
            learned[name] = learn(course, Skill(name, "Facts.", body=text), asked, count=count)
        models = {name: model for name, (model, _) in learned.items()}
        others = dict(zip(models, reversed(models.values()), strict=True))
        arms = [
            none_arm(),
            *layout_arms(said, budget=budget),
            named_arm({table: models[name] for table, name in shelf.items()}, name="adapter"),
            Arm(
                "wrong",
                "The adapter of the other document; no text.",
                models={table: others[name] for table, name in shelf.items()},
            ),
        ]
        results = course.ask(
            arms, items, criterion=CRITERION,
            asking=lambda policy: AskServed(ReadingPolicy(policy, count), config.sampling),
        )  # fmt: skip
    layers = layers_by_arm(results, items, said, budget=budget, count=count)
    share = layers["adapter"].answer_prompt / layers["progressive"].answer_prompt
    notes = (
        *(f"{name}: {texts[name].says}; {note}" for name, (_, note) in learned.items()),
        *(f"{name}: {seen}" for name, seen in layers.items()),
        *slice_notes(by_kind(results, items, said), REPORTED, seed=context.seed),
    )
    numbers = {"prompt_share": share}
    return course.finished(
        results, criterion=CRITERION, numbers=numbers, notes=notes, pairs=REPORTED
    )


def requests(
    course: Course, tables: Sequence[Skill], split: Split, num: int, *, exclude: Sequence[Task] = ()
) -> list[Task]:
    """So many requests of each table; every third one takes a fact of another table as well."""
    seed, taken = course.context.seed, {task.id for task in exclude}
    own = course.tasks(tables, split, num_items=num - num // 3)
    return [*own, *tasks_across(tables, "join", split, num // 3, seed=seed, exclude=taken)]


def learn(course: Course, guide: Skill, tasks: Sequence[Task], *, count: Count) -> tuple[str, str]:
    """One adapter from verified answers to `tasks` with the guide; its model string and a note."""

    async def answered(policy: Policy) -> tuple[list[Demonstration], Yield]:
        return await demonstrate(
            guide, tasks, teacher=Teacher(ReadingPolicy(policy, count)),
            frame=course.bench.frame, sampling=course.config.sampling,
        )  # fmt: skip

    rows, yielded = course.with_policy(answered)
    note = f"{yielded.kept} of {yielded.asked} demonstrations verified"
    if len(rows) < MIN_ROWS:
        return BASE, f"{note}, too few for an adapter; its arm asks the base"
    about = f"The facts of the {guide.name}, without a text."
    return course.carry_rows(guide.name, rows, description=about, licence="Apache-2.0"), note


def fit(config: SkillJuror, budget: Budget) -> SkillJuror:
    """As many requests a table as the rollouts allow; see `requests_within`."""
    return requests_within(config, budget, num_skills=2 * config.num_tables, preflight=False)


RECIPE = Recipe(
    SkillJuror,
    run,
    source="SkillJuror, arXiv:2606.11543",
    method="adapter",
    worlds=("facts",),
    controls={
        "none": "none",
        "oracle": Absent("the notes say how often a layout showed all that a request needs"),
        "shuffled": "shuffled",
        "random": Absent("the wrong arm is stronger: a trained adapter, of other facts"),
        "placebo": Absent("chunked shows lists of equal length that are mostly about other keys"),
        "budget": Absent("what was asked for learning is the progressive arm itself"),
    },
    fit=fit,
)
