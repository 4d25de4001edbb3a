"""The exam of Skill-to-LoRA: three seeds on the shipped base, into results/s2l.json."""

from pathlib import Path

from .. import make_results
from ..commands.recipe import run_recipe

SEEDS = (0, 1, 2)


def main() -> int:
    """Run every seed, then generate docs/results.md anew."""
    root = Path(make_results.ROOT)
    for seed in SEEDS:
        run_recipe(
            "s2l",
            seed=seed,
            base=None,
            config=root / "configs" / "recipes" / "s2l.toml",
            out=root / "results" / "s2l.json",
            json=False,
        )
    return make_results.generate()
