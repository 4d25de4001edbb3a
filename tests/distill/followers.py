"""Scripts for a scripted teacher: one that follows the skill text it is given, as a base would."""

from collections.abc import Mapping, Sequence

from skillweave.distill.worlds.string_skills import SkillSpec, worked_answer

from .reading import formats_in, operations_in
from .scripted_teacher import Answer, Body, Reply

NO_IDEA = Answer("final: no idea")


def turns(body: Body) -> Sequence[Mapping[str, str]]:
    """The messages of a chat request."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return messages


def system_of(body: Body) -> str:
    """The system text of a request; empty where it has none."""
    return "".join(turn["content"] for turn in turns(body) if turn["role"] == "system")


def items_of(body: Body) -> tuple[str, ...]:
    """The list in the user's message: what stands behind the last mark."""
    return tuple(turns(body)[-1]["content"].replace("?", ":").rsplit(":", 1)[1].split())


def follow(text: str, body: Body) -> Answer:
    """Work through the procedure that a text tells; without one there is no idea."""
    operations, forms = operations_in(text), formats_in(text)
    if not operations or len(forms) != 1:
        return NO_IDEA
    return Answer(worked_answer(SkillSpec(operations, forms[0], "picnic"), items_of(body)))


def follow_the_text(body: Body) -> Reply:
    """Right with the skill text in the system message, wrong without it."""
    return follow(system_of(body), body)
