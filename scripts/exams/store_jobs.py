"""What is done to a store while its power is cut, and how what is left is judged.

A job says what is there before, what it does, and whether it is all or nothing. The judgement: the
store opens, `fsck` finds nothing, every version, alias, piece of evidence and training row is as it
was before or as it is after (all of them alike where the job is all or nothing), what was
acknowledged is there, `gc` clears what was left over, and the job can be done again.
To add one: a line in `JOBS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ...adapters import Card, CardBase, Delta, SkillweaveError, Store, write_peft
from ...adapters.file_ops import DiskOps
from ...adapters.store.layout import children
from .store_disk import Keep, PowerCut, PowerCutOps, everything, nothing, some

NAME = "team/sql-report"
FAMILY = "b" * 64
MODULE = "model.layers.0.self_attn.q_proj"
State = Mapping[str, object]


@dataclass(frozen=True)
class Material:
    """Adapters to put, a skill, and a bundle to import; made once, below one folder."""

    folder: Path

    def adapter(self, seed: int) -> Path:
        """A small PEFT folder; another seed gives other weights."""
        path = self.folder / f"adapter-{seed}"
        if not path.exists():
            made = torch.Generator().manual_seed(seed)
            down, up = (torch.randn(*shape, generator=made) for shape in ((2, 8), (16, 2)))
            write_peft({MODULE: Delta(down, up, 1.0)}, path)
        return path

    @property
    def skill(self) -> Path:
        """A skill folder with a folder in it."""
        path = self.folder / "skill"
        if not path.exists():
            (path / "scripts").mkdir(parents=True)
            (path / "SKILL.md").write_text("---\nname: sql-report\n---\nDo it.\n")
            (path / "scripts" / "run.sh").write_text("#!/bin/sh\n")
        return path

    @property
    def bundle(self) -> Path:
        """Two versions of two names, with evidence, an alias and training rows."""
        path = self.folder / "two.bundle"
        if not path.exists():
            store = Store(self.folder / "source")
            rows = store.put_rows([{"n": 1}, {"n": 2}])
            dated = card(5).model_copy(update={"data_digest": rows})
            one = store.put(self.adapter(5), card=dated, name=NAME, aliases=("prod",))
            store.put(self.adapter(5), card=card(6), name="other", skill_dir=self.skill)
            store.attest(one.version_digest, {"score": 1})
            store.export_bundle([NAME, "other"], path, aliases=True, rows=True)
        return path


def card(seed: int) -> Card:
    """A card for a base that is nowhere; another seed gives another version."""
    base = CardBase(
        family_digest=FAMILY, precision="fp32", tokenizer_digest="c" * 64, template_digest="d" * 64
    )
    return Card(kind="skill", base=base, skill_name="SQL Report", seed=seed)


@dataclass(frozen=True)
class Job:
    """One change: what is there before, the change, and whether it is all or nothing.

    A change that is found done returns False; nobody has acknowledged it then.
    """

    before: Callable[[Store, Material], object]
    do: Callable[[Store, Material], object]
    atomic: bool = True


def _nothing(store: Store, made: Material) -> None:
    """The store's folder is not there."""


Work = Callable[[Store, Material], object]


def _put(seed: int, *, weights: int | None = None, skill: bool = False, alias: str = "") -> Work:
    def put(store: Store, made: Material) -> object:
        return store.put(
            made.adapter(seed if weights is None else weights),
            card=card(seed),
            name=NAME,
            skill_dir=made.skill if skill else None,
            aliases=(alias,) if alias else (),
        )

    return put


def _all(*works: Work) -> Work:
    def do(store: Store, made: Material) -> None:
        for work in works:
            work(store, made)

    return do


_ONE = _put(1)
_TWO = _all(_put(1), _put(2, alias="prod"))


def _collectable(store: Store, made: Material) -> None:
    """Two versions, one of them removed, an unfinished one, and rows that nobody names."""
    _all(_TWO, _put(3))(store, made)
    store.remove(NAME, 3)
    store.put_rows([{"n": 9}])
    (store.root / "objects" / ".tmp-dead").mkdir()
    (store.root / "objects" / ".tmp-dead" / "adapter_model.safetensors").write_bytes(b"123")


def _old(store: Store, made: Material) -> None:
    """A store of schema 1."""
    _TWO(store, made)
    (store.root / "store.json").unlink()
    for blob in (store.root / "blobs").iterdir():
        blob.unlink()
    (store.root / "blobs").rmdir()


JOBS: Mapping[str, Job] = {
    "put, first": Job(_nothing, _put(1)),
    "put, first, with a skill and an alias": Job(_nothing, _put(1, skill=True, alias="prod")),
    "put, first again after the last was removed": Job(
        _all(_put(1, alias="prod"), lambda store, made: store.remove(NAME, 1)), _put(2)
    ),
    "put, second": Job(_ONE, _put(2, skill=True, alias="prod"), atomic=False),
    "put, second, same weights": Job(_ONE, _put(2, weights=1)),
    "put, the same again": Job(_TWO, _put(1)),
    "tag": Job(_TWO, lambda store, made: store.tag(NAME, "prod", 1)),
    "rollback": Job(
        _all(_TWO, lambda store, made: store.tag(NAME, "default", 2)),
        lambda store, made: _roll_back(store),
    ),
    "rm": Job(_all(_TWO, _put(3)), lambda store, made: _remove(store, 3)),
    "rm, the last": Job(_put(1, alias="prod"), lambda store, made: _remove(store, 1)),
    "gc": Job(_collectable, lambda store, made: store.gc(rows_min_age_s=0), atomic=False),
    "attest": Job(_ONE, lambda store, made: _attest(store)),
    "put_rows": Job(_ONE, lambda store, made: store.put_rows([{"n": 1}, {"n": 2}])),
    "import": Job(
        _ONE, lambda store, made: store.import_bundle(made.bundle, aliases=True), atomic=False
    ),
    "the first write to a store of schema 1": Job(
        _old, lambda store, made: store.tag(NAME, "prod", 1)
    ),
}


def _remove(store: Store, number: int) -> bool:
    """Remove a version; False where it is gone already."""
    due = any(version.number == number for version in store.list())
    if due:
        store.remove(NAME, number)
    return due


def _roll_back(store: Store) -> bool:
    """Roll back; False where that was done already."""
    due = store.aliases(NAME)["default"] == 2
    if due:
        store.rollback(NAME)
    return due


def _attest(store: Store) -> bool:
    """Attest; False where that was done already."""
    digest = store.resolve(NAME).version_digest
    due = not store.attestations(digest)
    if due:
        store.attest(digest, {"score": 1})
    return due


def state_of(store: Store) -> State:
    """Everything a store holds for its users, each thing under a name of its own."""
    found: dict[str, object] = {}
    for version in store.list():
        found[f"version {version.ref}"] = version.version_digest
        for alias, number in store.aliases(str(version.id), base=version.base).items():
            found[f"alias {version.id}@{alias}"] = number
        found[f"evidence {version.ref}"] = tuple(
            str(evidence) for evidence in store.attestations(version.version_digest)
        )
    for name in children(store.root / "rows"):
        found[f"rows {name}"] = len(store.get_rows(name.removesuffix(".jsonl")))
    return found


@dataclass
class Tally:
    """What was tried, and every fault."""

    states: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def enumerate_job(
    name: str, work: Path, made: Material, tally: Tally, *, parts: int = 2, every: int = 1
) -> None:
    """Cut the power at every step of a job, and judge every loss.

    Args:
        name: of the job.
        work: an empty folder.
        parts: how many random parts are lost beside nothing and everything.
        every: take only each so-manieth step.
    """
    job = JOBS[name]
    trial = Trial(job, work, made, f"{name}: ", tally)
    trial.prepare()
    total = trial.run(at=0, keeps=[nothing, everything])
    tally.steps[name] = total
    for at in range(1, total + 1, every):
        keeps = [nothing, everything, *(some(1000 * at + part) for part in range(parts))]
        trial.run(at=at, keeps=keeps)
        trial.run(at=at, keeps=[nothing], again=True)


@dataclass
class Trial:
    """One job, run over and over in folders below `work`."""

    job: Job
    work: Path
    made: Material
    label: str
    tally: Tally
    disk: type[PowerCutOps] = PowerCutOps
    _before: State = field(default_factory=dict)
    _after: State = field(default_factory=dict)
    _tops: Iterator[Path] = field(default_factory=lambda: iter(()))

    def prepare(self) -> None:
        """Learn what there is before and after."""
        self._tops = (self.work / str(n) for n in range(1_000_000))
        assert self.made.bundle.is_file()
        store = _quick(self._fresh())
        self._before = state_of(store)
        self.job.do(store, self.made)
        self._after = state_of(store)

    def _fresh(self) -> Path:
        top = next(self._tops)
        top.mkdir(parents=True)
        self.job.before(_quick(top), self.made)
        return top

    def run(self, *, at: int, keeps: list[Keep], again: bool = False) -> int:
        """Cut at a step (0: right after the end), lose parts, judge; the steps that were done.

        Args:
            again: the process dies, and not the machine; another does the job to its end, and only
                then the power goes.
        """
        top = self._fresh()
        ops = self.disk(top, at=at)
        try:
            self.job.do(Store(top / "store", ops=ops), self.made)
            done = True
        except PowerCut:
            done = False
        steps = ops.steps
        if again:
            ops.at = 0
            done = self.job.do(Store(top / "store", ops=ops), self.made) is not False
        for number, keep in enumerate(keeps):
            left = next(self._tops)
            ops.materialise(left, keep)
            where = f"step {at}, loss {number}{', done again' if again else ''}"
            for fault in self.judge(_quick(left), done=done):
                self.tally.faults.append(f"{self.label}{where}: {fault}")
            self.tally.states += 1
        return steps

    def judge(self, store: Store, *, done: bool) -> Iterator[str]:
        """What is wrong with what is left."""
        try:
            yield from self._faults(store, done=done)
        except SkillweaveError as err:
            yield f"cannot be read: {err}"

    def _faults(self, store: Store, *, done: bool) -> Iterator[str]:
        yield from (f"fsck: {problem}" for problem in store.fsck())
        seen = state_of(store)
        if done:
            if not self._acknowledged(seen):
                yield f"acknowledged and lost: {_difference(self._after, seen)}"
        elif self.job.atomic and seen not in (self._before, self._after):
            yield f"half done: {_difference(self._before, seen)}"
        elif not self.job.atomic and not self._mixed(seen):
            yield f"torn: {_difference(self._before, seen)}"
        try:
            self.job.do(store, self.made)
        except SkillweaveError as err:
            yield f"cannot be done again: {err}"
        if not self._acknowledged(state_of(store)):
            yield f"done again, and not there: {_difference(self._after, state_of(store))}"
        store.gc(rows_min_age_s=0)
        yield from (f"fsck after gc: {problem}" for problem in store.fsck())
        named = {version.version_digest for version in store.list()}
        if set(children(store.root / "objects")) != named or [*store.root.rglob(".tmp-*")]:
            yield "gc left something over"

    def _acknowledged(self, seen: State) -> bool:
        """Whether all that is there after is there; what gc was to free may still be."""
        return all(seen.get(key) == value for key, value in self._after.items()) and all(
            key in self._after or key in self._before for key in seen
        )

    def _mixed(self, seen: State) -> bool:
        """Whether each thing is as before or as after."""
        keys = {*seen, *self._before, *self._after}
        return all(seen.get(key) in (self._before.get(key), self._after.get(key)) for key in keys)


def _quick(top: Path) -> Store:
    """The store below a folder, without fsync: nobody cuts the power of this disk."""
    return Store(top / "store", ops=DiskOps(durable=False))


def _difference(expected: State, seen: State) -> str:
    keys = {key for key in {*expected, *seen} if expected.get(key) != seen.get(key)}
    return "; ".join(f"{k}: {expected.get(k)} -> {seen.get(k)}" for k in sorted(keys))
