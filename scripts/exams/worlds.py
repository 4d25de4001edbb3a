"""`make exam NAME=worlds`: every world on fifty seeds, held to what its own spec states.

The criterion, written before the run, for each world:
- its expert passes at least `oracle_rate` of the tasks, one a seed, levels in turn;
- an answer of the right form without knowledge passes at most `random_rate` of four times as many;
- splits that are drawn as recipes draw them share no task, and no held-out skill is drawn where
  skills are drawn that a base may have seen;
- every hostile answer (code, a megabyte, invalid UTF-8, nothing ...) is worth 0, within a second,
  and nothing of it is executed.

Owns the bars. Refuses to own the draws (`world_episodes.py`). A world whose optional package is
not installed is named in `not_run`. Run from the repository.
"""

import importlib.util
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from ...distill.worlds.checkers import worlds
from ...distill.worlds.metadata import CHECKER_KEY
from ...distill.worlds.types import Split
from ...distill.worlds.world import World
from ..bench.rows import Row
from .report import write_exam
from .world_episodes import HOSTILE, NEEDS, SEEDS, drawn, hostile_answer, levels, play

GUESSES = 4
SPLITS: tuple[tuple[Split, int], ...] = (("train", 64), ("dev", 16), ("test", 32))
MAX_VERDICT_S = 1.0


def main(folder: Path | None = None) -> int:
    """Run everything and write `results/exams/worlds.json`; 1 where a bar does not hold."""
    missing = {name for name, package in NEEDS.items() if not importlib.util.find_spec(package)}
    found = [
        row
        for name, world in worlds().items()
        if name not in missing
        for row in (*_rates(world), _splits(world), _held_out(world), *_hostile(world))
    ]
    place = {} if folder is None else {"folder": folder}
    not_run = {name: f"{NEEDS[name]} is not installed" for name in sorted(missing)}
    path = write_exam("worlds", found, not_run=not_run, **place)
    for row in found:
        about = "" if row.ours is None else f"  {json.dumps(row.ours)}"
        print(f"{'ok  ' if row.holds else 'MISS'} {row.figure}: {row.value:.3f}{about}")
    print(path)
    return 0 if all(row.holds for row in found) else 1


def _rates(world: World) -> list[Row]:
    name, spec = world.spec.name, world.spec
    tasks = [task for _, task in drawn(name)]
    expert = [play(task, max_turns=spec.max_turns).verdict.passed for task in tasks]
    rng = random.Random(0)
    guesses = [task.verify(world.guess(task, rng)).passed for _ in range(GUESSES) for task in tasks]
    return [
        Row(
            f"{name}: tasks that the expert passes (share)",
            sum(expert) / len(expert), len(expert), op=">=", bar=spec.oracle_rate,
        ),
        Row(
            f"{name}: guesses that pass (share)",
            sum(guesses) / len(guesses), len(guesses), op="<=", bar=spec.random_rate,
        ),
    ]  # fmt: skip


def _splits(world: World) -> Row:
    """Tasks that stand in two splits, and how many would without the exclusion."""
    shared = unguarded = count = 0
    for seed in SEEDS:
        level = levels(world)[seed % len(levels(world))]
        skill = world.skill(level, seed=seed)
        used: set[str] = set()
        bare: set[str] = set()
        for split, num in SPLITS:
            ids = {task.id for task in world.tasks(skill, split, num, seed=seed, exclude=used)}
            free = {task.id for task in world.tasks(skill, split, num, seed=seed)}
            shared += len(ids & used)
            unguarded += len(free & bare)
            count += len(ids)
            used |= ids
            bare |= free
    return Row(
        f"{world.spec.name}: tasks that stand in two splits", shared, count, op="==", bar=0,
        ours={"without_exclusion": unguarded},
    )  # fmt: skip


def _held_out(world: World) -> Row:
    """Held-out skills among those that a base may have seen, over all levels of pretraining."""
    shown = [level for level in world.spec.levels if level not in world.spec.out_of_range]
    kept, seen = (
        {
            world.skill(level, seed=seed, held_out=held_out).metadata[CHECKER_KEY]
            for level in shown
            for seed in SEEDS
        }
        for held_out in (True, False)
    )
    return Row(
        f"{world.spec.name}: held-out skills among open ones", len(kept & seen), len(kept | seen),
        op="==", bar=0,
    )  # fmt: skip


def _hostile(world: World) -> list[Row]:
    passed, slowest, count = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        trap = Path(folder) / "trap"
        for _, task in drawn(world.spec.name):
            for kind in HOSTILE:
                answer = hostile_answer(kind, str(trap))
                started = time.perf_counter()
                verdict = task.verify(answer)
                slowest = max(slowest, time.perf_counter() - started)
                passed += verdict.passed or verdict.reward != 0.0
                count += 1
        executed = int(trap.exists())
    name = world.spec.name
    return [
        Row(f"{name}: hostile answers that are worth something", passed, count, op="==", bar=0),
        Row(f"{name}: hostile answers that ran", executed, count, op="==", bar=0),
        Row(
            f"{name}: slowest verdict on a hostile answer (s)", slowest, count,
            op="<=", bar=MAX_VERDICT_S,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
