"""A server for recipes whose behaviour is known: it follows texts and published adapters.

With a text in the system message it works through that text; under the name of an adapter through
the skill that the adapter is named after; otherwise it has no idea. So a recipe's verdict is known
beforehand, and all that lies between is real: requests, verification, training, store, arms.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from skillweave.adapters.skills import Skill
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.worlds.string_skills import CHECKER_KEY, SkillSpec, worked_answer

from ..followers import NO_IDEA, follow_the_text, items_of, system_of
from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher


@dataclass
class SkillServer:
    """A `Launch` for skills of the string world.

    Args:
        obey: whether adapters do what their skills say; without it they do nothing.
        lost: bodies of texts with which it has no idea.
    """

    skills: Sequence[Skill]
    obey: bool = True
    lost: Collection[str] = ()
    plans: list[ServePlan] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    asked: list[Body] = field(default_factory=list)

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        self.plans.append(plan)
        with ScriptedTeacher(self._answer, admin=self._admin) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        self.asked.append(body)
        model = str(body["model"]).removesuffix(":adapter")
        if system_of(body) in self.lost:
            return NO_IDEA
        if system_of(body) or model == "base":
            return follow_the_text(body)
        if model not in self.published:
            return Raw(404, json.dumps({"error": {"message": f"unknown model {model}"}}))
        name = model.partition("@")[0].rpartition("/")[2]
        (spec,) = (
            SkillSpec.from_json(skill.metadata[CHECKER_KEY])
            for skill in self.skills
            if skill.name == name
        )
        return Answer(worked_answer(spec, items_of(body))) if self.obey else NO_IDEA

    def _admin(self, verb: str, body: Body) -> Reply:
        assert verb == "publish"
        self.published.append(str(body["ref"]))
        return Raw(body="{}")
