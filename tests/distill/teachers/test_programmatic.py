"""A teacher made of rules errs as often as it was told to, and always on the same questions."""

import asyncio
import random

import pytest
from pydantic import BaseModel
from skillweave.adapters.errors import TeacherError, UsageError
from skillweave.distill.teachers import (
    AskedTeacher,
    Craft,
    Judgement,
    Payload,
    ProgrammaticSource,
    Rates,
)

from .scripted import ASKED


def says(reason: str) -> Judgement:
    return Judgement(passed=True, reason=reason)


def told(what: str) -> "Craft":
    def answer(payload: Payload, rng: random.Random) -> BaseModel:
        return says(what)

    return Craft(answer, answer, answer)


JUDGE = Craft(told("honest").honest, told("wrong").wrong, told("junk").junk)


def answers(rates: Rates, num: int = 400) -> list[str]:
    """Reasons given to `num` questions; `malformed` where it was rejected."""

    async def run() -> list[str]:
        source = ProgrammaticSource({"judge": JUDGE}, label="x", rates={"judge": rates})
        teacher, found = AskedTeacher(source, attempts=1), []
        for seed in range(num):
            try:
                value = await teacher.ask("judge", ASKED, schema=Judgement, seed=seed)
                found.append(value.reason)
            except TeacherError:
                found.append("malformed")
        return found

    return asyncio.run(run())


def test_without_rates_every_answer_is_honest() -> None:
    assert set(answers(Rates(), 20)) == {"honest"}


def test_rates_are_met_and_the_same_questions_err_again() -> None:
    rates = Rates(error=0.2, junk=0.3, malformed=0.1)
    seen = answers(rates)
    assert seen == answers(rates)
    share = {what: seen.count(what) / len(seen) for what in set(seen)}
    assert share["malformed"] == pytest.approx(0.1, abs=0.05)
    assert share["wrong"] == pytest.approx(0.2 * 0.9, abs=0.06)
    assert share["junk"] == pytest.approx(0.3 * 0.9, abs=0.07)


def test_a_higher_rate_errs_on_the_same_questions_and_more() -> None:
    few, many = (answers(Rates(junk=share), 100) for share in (0.2, 0.5))
    junk = [{i for i, what in enumerate(seen) if what == "junk"} for seen in (few, many)]
    assert junk[0] < junk[1]


def test_a_malformed_attempt_may_be_repaired_by_the_next() -> None:
    source = ProgrammaticSource({"judge": JUDGE}, label="x", rates={"judge": Rates(malformed=0.5)})
    teacher = AskedTeacher(source, attempts=20)

    async def run() -> None:
        for seed in range(20):
            await teacher.ask("judge", ASKED, schema=Judgement, seed=seed)

    asyncio.run(run())
    assert teacher.counts.answered == 20
    assert teacher.counts.malformed > 0


@pytest.mark.parametrize("shares", [(-0.1, 0, 0), (0.6, 0.6, 0), (0, 0, 1.1)])
def test_rates_that_are_no_shares_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="expected shares"):
        Rates(*shares)


def test_a_role_without_craft_is_refused() -> None:
    with pytest.raises(UsageError, match="rates of"):
        ProgrammaticSource({}, label="x", rates={"judge": Rates()})
    teacher = AskedTeacher(ProgrammaticSource({}, label="x"))
    with pytest.raises(UsageError, match="has no craft of role 'judge'"):
        asyncio.run(teacher.ask("judge", ASKED, schema=Judgement))


def test_rates_are_part_of_the_label() -> None:
    honest = ProgrammaticSource({"judge": JUDGE}, label="x")
    erring = ProgrammaticSource({"judge": JUDGE}, label="x", rates={"judge": Rates(junk=0.3)})
    assert honest.label != erring.label
