"""A server for recipes whose behaviour is known: it follows texts and published adapters.

With a text in the system message it works through that text; under the name of an adapter through
the skill that the store keeps beside it; otherwise it has no idea. So a recipe's verdict is known
beforehand, and all that lies between is real: requests, verification, training, store, arms.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from skillweave.adapters.artifact import SKILL_FOLDER
from skillweave.adapters.skills import read_skill
from skillweave.adapters.store.store import Store
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

    obey: bool = True
    lost: Collection[str] = ()
    plans: list[ServePlan] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    asked: list[Body] = field(default_factory=list)
    _specs: dict[str, SkillSpec | None] = field(default_factory=dict)

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        self.plans.append(plan)
        self._specs.clear()
        with ScriptedTeacher(self._answer, admin=self._admin) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        self.asked.append(body)
        model = str(body["model"])
        if system_of(body) in self.lost:
            return NO_IDEA
        if system_of(body) or model == "base":
            return follow_the_text(body)
        if model not in self._specs:
            return Raw(404, json.dumps({"error": {"message": f"unknown model {model}"}}))
        spec = self._specs[model] if self.obey else None
        return Answer(worked_answer(spec, items_of(body))) if spec else NO_IDEA

    def _admin(self, verb: str, body: Body) -> Reply:
        """Publishing looks into the store that is served; an adapter of no skill has no idea."""
        assert verb == "publish"
        ref = str(body["ref"])
        folder = Store(self.plans[-1].store).resolve(ref).path / SKILL_FOLDER
        skill = read_skill(folder)[0] if folder.is_dir() else None
        checker = skill.metadata.get(CHECKER_KEY) if skill else None
        self._specs[f"{ref}:adapter"] = SkillSpec.from_json(checker) if checker else None
        self.published.append(ref)
        return Raw(body="{}")
