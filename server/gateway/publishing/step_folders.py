"""The folders of published steps: what lies in one, and that it was judged.

    <scratch>/run--<run>--<step>--<token>/   adapter_config.json adapter_model.safetensors step.json

A folder gets this name in one step, when its files are complete and the gate has passed them; a
step that names a version of the store has only `step.json`. Nothing is synced to a disk: the folder
goes with the server. Owns these files. Refuses to own which steps are served (`ephemeral.py`) and
where the scratch folder is (`scratch.py`).
"""

import json
import logging
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ....adapters.base.identity import BaseIdentity
from ....adapters.errors import AdapterRefused, NotFound, SkillweaveError
from ....adapters.gate.policy import GatePolicy
from ....adapters.names import MAX_VERSION, AdapterId, validate_version
from ....adapters.store.types import Version
from ..errors import refusal
from ..residency.servable import Servable
from .scratch import Scratch
from .steps import MAX_STALENESS, Step
from .uploads import Receiver, no_room

FACTS = "step.json"
UNFINISHED = ".part-"
_NAME = re.compile(r"run--.+--\d+--[0-9a-f]{12}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a client asks for: a step of a run, beside which `staleness` older ones are in use.

    Raises:
        InvalidName: no run or step can be called so.
    """

    run: str
    step: int
    staleness: int = 1

    def __post_init__(self) -> None:
        AdapterId.parse(self.run)
        validate_version(self.step)

    @property
    def ref(self) -> str:
        """How to ask for it in a `model` string."""
        return f"{self.run}@{self.step}"

    def new_name(self) -> str:
        """An engine-side name that was never used, also where a run ends and begins again.

        A slug holds no double hyphen, so a run cannot look like another's step.
        """
        return f"run--{AdapterId.parse(self.run).folder}--{self.step}--{secrets.token_hex(6)}"


class Facts(BaseModel):
    """`step.json`. `version_digest` is set where the bytes are those of a stored version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    step: int = Field(ge=1, le=MAX_VERSION)
    staleness: int = Field(ge=0, le=MAX_STALENESS)
    digest: str
    version_digest: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A step that was judged and may be named; `part` is its folder until then."""

    asked: Asked
    step: Step
    part: Path


class StepFolders:
    """Makes, finds and removes the folders. Every method but `receiver` may block.

    Args:
        family: family digest of the base; None where it is unknown, then nothing fits.
        base_of: what is known of a base family; None where nothing is.
        max_rank: the engines' rank cap as it is now; None where it is not known.
    """

    def __init__(
        self,
        scratch: Scratch,
        *,
        family: str | None,
        base_of: Callable[[str], BaseIdentity | None],
        max_rank: Callable[[], int | None],
    ) -> None:
        self._scratch = scratch
        self._family = family
        self._base_of = base_of
        self._max_rank = max_rank

    def receiver(self, content_type: str, num_bytes: int | None) -> Receiver:
        """Takes the bytes of a step.

        Args:
            num_bytes: how many will come; None where nobody said.

        Raises:
            RequestRefused: no multipart form. NoRoom: the memory is full.
        """
        self._scratch.require_room(num_bytes or 0)
        return Receiver(self._part(), content_type=content_type)

    def prepare(self, asked: Asked, came: Receiver | Version) -> Prepared:
        """Write what is left of the bytes and judge them.

        Raises:
            NotFound: the base of this server is not known. AdapterRefused: the gate's refusal.
            NoRoom: the memory is full.
        """
        if self._family is None:
            raise NotFound("the base of this server is not known; start it with --base FOLDER")
        name, own = asked.new_name(), not isinstance(came, Version)
        if isinstance(came, Version):
            part, digest, at = self._part(), came.version_digest, came.path
            self._judge(at, asked, GatePolicy(values="header", accept_base=True))
        else:
            upload = came.finish()
            part, digest, at = upload.folder, upload.digest, self._scratch.folder() / name
            self._judge(part, asked, GatePolicy())
        facts = Facts(**asdict(asked), digest=digest, version_digest=None if own else digest)
        try:
            part.mkdir(mode=0o700, exist_ok=True)
            (part / FACTS).write_text(facts.model_dump_json())
        except OSError as err:
            self.discard(part)
            raise no_room(err, part) from err
        return Prepared(asked, Step(asked.run, asked.step, self._named(name, facts, at), own), part)

    def settle(self, prepared: Prepared) -> None:
        """Give the folder its name; from here on it declares the step."""
        prepared.part.rename(self._place(prepared.step))

    def discard(self, part: Path) -> None:
        """Remove what is not wanted any more."""
        shutil.rmtree(part, ignore_errors=True)

    def remove(self, step: Step) -> None:
        """Remove the folder of a step."""
        shutil.rmtree(self._place(step), ignore_errors=True)

    def recover(self, version_of: Callable[[str], Version]) -> list[tuple[Asked, Step]]:
        """Every step whose folder is complete, by run and number; unfinished work is removed.

        Args:
            version_of: a stored version by its digest.
        """
        folder = self._scratch.found
        found = []
        for place in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
            step = None
            if _NAME.fullmatch(place.name):
                step = self._read(place, version_of)
            if step is not None:
                found.append(step)
            elif place.is_dir():
                self.discard(place)
        return sorted(found, key=lambda each: (each[0].run, each[0].step))

    def _part(self) -> Path:
        return self._scratch.folder() / f"{UNFINISHED}{secrets.token_hex(8)}"

    def _place(self, step: Step) -> Path:
        return self._scratch.folder() / step.servable.name

    def _judge(self, folder: Path, asked: Asked, policy: GatePolicy) -> None:
        assert self._family is not None
        capped = replace(policy, max_rank=self._max_rank())
        problems = capped.check(folder, self._base_of(self._family))
        if problems:
            raise refusal(AdapterRefused(problems, subject=asked.ref))

    def _named(self, name: str, facts: Facts, path: Path) -> Servable:
        assert self._family is not None
        return Servable(
            name=name,
            path=path,
            base=self._family,
            digest=facts.digest,
            ref=f"{facts.run}@{facts.step}",
            label=str(facts.step),
        )

    def _read(self, place: Path, version_of: Callable[[str], Version]) -> tuple[Asked, Step] | None:
        try:
            facts = Facts.model_validate(json.loads((place / FACTS).read_bytes()))
            asked = Asked(facts.run, facts.step, facts.staleness)
            stored = facts.version_digest
            path = place if stored is None else version_of(stored).path
            servable = self._named(place.name, facts, path)
            return asked, Step(facts.run, facts.step, servable, stored is None)
        except (OSError, ValueError, SkillweaveError) as err:
            log.warning("%s is no step any more: %s", place.name, err)
            return None
