"""Demonstrations: a teacher that reads the whole skill text answers requests; a verifier decides.

Owns how the teacher is asked and which answers are kept. The teacher is any policy: the base
itself through the served engine, or an OpenAI-compatible address.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..adapters.card import Frame
from ..adapters.errors import TeacherError
from ..adapters.skills import Skill, system_prompt
from .policy import Policy, Sampling, bounded_map
from .worlds.types import Message, Task


@dataclass(frozen=True)
class Teacher:
    """Who demonstrates: a policy, and the model string it is asked under.

    `label` names a teacher that is not the base itself, for cards and evidence; no secrets in it.
    """

    policy: Policy
    model: str = "base"
    label: str | None = None


@dataclass(frozen=True)
class Demonstration:
    """A request without the skill text, and the teacher's answer to it with the text."""

    task_id: str
    messages: tuple[Message, ...]
    answer: str

    def conversation(self) -> list[dict[str, str]]:
        """The messages with the answer as the assistant's turn."""
        return [*(dict(m) for m in self.messages), {"role": "assistant", "content": self.answer}]

    def to_row(self) -> Mapping[str, object]:
        """What the store keeps of it, in the conversational form that trainers read."""
        return {"task_id": self.task_id, "messages": self.conversation()}


@dataclass(frozen=True)
class Yield:
    """How many answers were asked for, refused by the verifier, and never came."""

    asked: int
    wrong: int
    failed: int
    prompt_tokens: int
    completion_tokens: int

    @property
    def kept(self) -> int:
        return self.asked - self.wrong - self.failed


def with_skill(skill: Skill, messages: Sequence[Message], frame: Frame) -> list[Message]:
    """The conversation with the skill's text in the system message."""
    return [{"role": "system", "content": system_prompt(skill, frame.system)}, *messages]


async def demonstrate(
    skill: Skill,
    tasks: Sequence[Task],
    *,
    teacher: Teacher,
    frame: Frame,
    sampling: Sampling,
    concurrency: int = 32,
    on_answer: Callable[[], None] | None = None,
) -> tuple[list[Demonstration], Yield]:
    """Ask the teacher every task with the text in context; keep the answers that verify.

    Raises:
        TeacherError: no request was answered at all.
    """
    wrong = failed = prompt_tokens = completion_tokens = 0
    first_error = ""

    async def ask(task: Task) -> Demonstration | None:
        nonlocal wrong, failed, prompt_tokens, completion_tokens, first_error
        try:
            answer = await teacher.policy.complete(
                with_skill(skill, task.messages, frame), model=teacher.model, sampling=sampling
            )
        except TeacherError as err:
            failed += 1
            first_error = first_error or str(err)
            return None
        finally:
            if on_answer:
                on_answer()
        prompt_tokens += answer.prompt_tokens
        completion_tokens += answer.completion_tokens
        if not task.verify(answer.text).passed:
            wrong += 1
            return None
        return Demonstration(task.id, task.messages, answer.text)

    found = await bounded_map(ask, tasks, concurrency=concurrency)
    if failed == len(tasks):
        raise TeacherError(
            f"the teacher answered 0 of {len(tasks)} requests for {skill.name!r}: {first_error}"
        )
    kept = [demonstration for demonstration in found if demonstration is not None]
    return kept, Yield(len(tasks), wrong, failed, prompt_tokens, completion_tokens)
