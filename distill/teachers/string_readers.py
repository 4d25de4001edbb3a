"""The string world's programmatic teacher as a reader: judge, challenge, attribute, propose, label,
reflect.

Owns what it says of requests and answers: honest, wrong and junk. Refuses to own skill texts
(`string_authors.py`) and the rates.
"""

from ...adapters.errors import UsageError
from ..worlds.string_skills.answers import FINAL, score
from ..worlds.string_skills.primitives import PRIMITIVES, phrase
from ..worlds.string_skills.tasks import draw_tasks
from ..worlds.string_skills.texts import irrelevant_body, random_operations
from .answers import Cause, Challenge, Challenges, Judgement, Labels, Lesson, Lessons, Proposal
from .induction import induced, trace
from .roles import TRUTH, Payload
from .string_told import Rng, broken, rows_of, spec_of


def judge(told: Payload, rng: Rng) -> Judgement:
    """Exact where told the expected final text; else whether there is one final line at all."""
    del rng
    answer = str(told["answer"])
    if TRUTH in told:
        verdict = score(answer, str(told[TRUTH]))
        return Judgement(passed=verdict.passed, reason=verdict.reason)
    num_finals = sum(line.strip().startswith(FINAL) for line in answer.splitlines())
    return Judgement(passed=num_finals == 1, reason=f"{num_finals} final line(s)")


def judge_wrong(told: Payload, rng: Rng) -> Judgement:
    """The contrary."""
    return Judgement(passed=not judge(told, rng).passed, reason="it looks so")


def judge_junk(told: Payload, rng: Rng) -> Judgement:
    """A coin."""
    return Judgement(passed=rng.random() < 0.5, reason="a feeling")


def challenge(told: Payload, rng: Rng) -> Challenges:
    """Requests of the skill behind the truth, with worked answers."""
    spec, count = spec_of(told), int(str(told["count"]))
    if spec is None:
        raise UsageError("the string world's challenger needs the checker as truth, or examples")
    tasks = draw_tasks(
        spec, family="challenge", split="train", num_tasks=count, seed=rng.randrange(1 << 30)
    )
    return Challenges(
        challenges=tuple(Challenge(request=task.request, answer=task.worked) for task in tasks)
    )


def challenge_wrong(told: Payload, rng: Rng) -> Challenges:
    """The same requests with answers of another procedure."""
    spec = spec_of(told)
    if spec is None:
        return challenge(told, rng)
    return challenge({**told, TRUTH: broken(spec, rng).to_json()}, rng)


def challenge_junk(told: Payload, rng: Rng) -> Challenges:
    """Sentences that ask for nothing."""
    lines = irrelevant_body(rng, 200).splitlines()[1:]
    count = int(str(told["count"]))
    return Challenges(challenges=tuple(Challenge(request=line) for line in lines[:count]))


def attribute(told: Payload, rng: Rng) -> Cause:
    """The first list that differs from the worked answer that it was told."""
    del rng
    if TRUTH not in told:
        raise UsageError("the string world's attribution needs the worked answer as truth")
    seen, final = trace(str(told["request"]), str(told["answer"]))
    right, expected = trace(str(told["request"]), str(told[TRUTH]))
    for step, state in enumerate(right[1:], 1):
        if len(seen) <= step or seen[step] != state:
            mode = "missing-step" if len(seen) <= step else "wrong-step"
            return Cause(failure_mode=mode, step=step, why=f"step {step} is {' '.join(state)}")
    if final != expected:
        return Cause(failure_mode="wrong-format", why=f"the final line is {expected}")
    return Cause(failure_mode="")


def attribute_wrong(told: Payload, rng: Rng) -> Cause:
    """Another cause."""
    right = attribute(told, rng)
    if right.step is None:
        return Cause(failure_mode="wrong-step", step=1)
    return Cause(failure_mode="wrong-format", why="the final line")


def propose(told: Payload, rng: Rng) -> Proposal:
    """Improve the skill of the family that fails most; create where that family has none."""
    del rng
    failures = rows_of(told, "failures")
    if not failures:
        return Proposal(action="none", rationale="nothing failed")
    families = [str(row.get("family", "")) for row in failures]
    worst = max(sorted(set(families)), key=families.count)
    known = {row["name"] for row in rows_of(told, "skills")}
    if worst in known:
        return Proposal(action="improve", targets=(worst,), rationale=f"{worst} fails most")
    return Proposal(action="create", description=worst, rationale=f"nothing covers {worst}")


def propose_wrong(told: Payload, rng: Rng) -> Proposal:
    """Retire a skill, whatever it is worth."""
    skills = rows_of(told, "skills")
    if not skills:
        return Proposal(action="none")
    return Proposal(action="retire", targets=(rng.choice(skills)["name"],))


def label(told: Payload, rng: Rng) -> Labels:
    """The kinds of operations behind the checker."""
    del rng
    spec = spec_of(told)
    if spec is None:
        raise UsageError("the string world's labels need the checker as truth")
    return Labels(skills=tuple(dict.fromkeys(op.kind for op in spec.operations)))


def label_wrong(told: Payload, rng: Rng) -> Labels:
    """One kind of operation replaced."""
    right = label(told, rng).skills
    others = [kind for kind in PRIMITIVES if kind not in right]
    return Labels(skills=(*right[1:], rng.choice(others)))


def label_junk(told: Payload, rng: Rng) -> Labels:
    """Two kinds at random."""
    return Labels(skills=tuple(rng.sample(tuple(PRIMITIVES), 2)))


def reflect(told: Payload, rng: Rng) -> Lessons:
    """One lesson a step that the worked answer shows."""
    spec = induced([{"request": str(told["request"]), "answer": str(told["answer"])}])
    operations = spec.operations if spec else ()
    return Lessons(
        lessons=tuple(
            Lesson(name=op.kind, instruction=phrase(op.kind, op.params, rng.randrange(12)))
            for op in operations
        )
    )


def reflect_wrong(told: Payload, rng: Rng) -> Lessons:
    """A step that is not there."""
    op = random_operations(rng, 1)[0]
    return Lessons(lessons=(Lesson(name=op.kind, instruction=phrase(op.kind, op.params, 0)),))
