"""A source that says what a test hands it, and what it was asked."""

from collections.abc import Sequence

from skillweave.adapters.errors import TeacherError
from skillweave.distill.teachers import Question, Said

YES = '{"passed": true, "reason": "right"}'
ASKED = {"request": "what is it?", "answer": "this"}


class Script:
    """Says one text an attempt, in order; None is no answer at all."""

    def __init__(self, *texts: str | None, label: str = "script") -> None:
        self.label = label
        self.texts: Sequence[str | None] = texts
        self.heard: list[tuple[Question, int, str]] = []

    async def say(self, asked: Question, *, attempt: int, complaint: str) -> Said:
        self.heard.append((asked, attempt, complaint))
        text = self.texts[len(self.heard) - 1]
        if text is None:
            raise TeacherError("nobody is there")
        return Said(text, prompt_tokens=10, completion_tokens=2)
