"""The router behind `auto`: fitted once, saved as a folder, routing states in well under 1 ms.

Owns the value `Router`: candidates fitted on training requests and descriptions, the best of them
on dev as `auto`, and the skills it was fitted for, by version digest. Refuses to own rules and
features (their folders), evidence (`forms.py`), and sessions (the gateway).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from . import fit, saved
from .errors import RouterError, StaleRouter
from .fit_types import DevFigures, DevState, RoutedSkill
from .packing import pack_candidates, unpack_candidates
from .scores import top
from .selectors import SELECTORS, NearestRows
from .state_text import state_text
from .types import Route, State


@dataclass(frozen=True, eq=False)
class Router:
    """Meets `types.Selector`. A value: `add` and `remove` return another router."""

    base: str
    """Family digest of the base it was fitted for."""
    skills: tuple[RoutedSkill, ...]
    candidates: Mapping[str, NearestRows]
    dev: Mapping[str, DevFigures]
    auto: str
    """The candidate that answers, the best one on dev."""
    base_dir: Path | None = None
    seed: int = 0

    @classmethod
    def fit(
        cls,
        skills: Sequence[RoutedSkill],
        dev: Sequence[DevState],
        *,
        base: str,
        base_dir: Path | None = None,
        seed: int = 0,
    ) -> Self:
        """Fit every rule on every served feature and keep the best one on dev as `auto`.

        Args:
            skills: with descriptions, forms, and the requests their adapters were trained on.
            dev: labelled states that are not among the training requests, with states that
                belong to no skill among them.
            base: family digest of the base.
            base_dir: its folder; without it the features of the embedding are left out.
            seed: of the prototypes.

        Raises:
            RouterError: nothing to choose from, a skill twice, or a dev set that cannot fit a
                threshold.
        """
        fit.require_fittable(skills, dev)
        fitted = {
            f"{rule}/{features.name}": fit.fit_candidate(
                rule, features, skills=skills, dev=dev, seed=seed
            )
            for features in fit.fit_features(skills, base_dir=base_dir)
            for rule in SELECTORS
        }
        figures = {name: figure for name, (_, figure) in fitted.items()}
        return cls(
            base=base,
            skills=tuple(skills),
            candidates={name: selector for name, (selector, _) in fitted.items()},
            dev=figures,
            auto=fit.best_candidate(figures),
            base_dir=base_dir,
            seed=seed,
        )

    @property
    def digests(self) -> Mapping[str, str]:
        """Skill -> digest, as fitted."""
        return {skill.name: skill.digest for skill in self.skills}

    @property
    def selector(self) -> NearestRows:
        """The candidate behind `auto`."""
        return self.candidates[self.auto]

    def route(self, state: State) -> Route:
        """Choose a skill in its form, or abstain."""
        return self.selector.route(state)

    def top(self, state: State, k: int = 5) -> tuple[tuple[str, float], ...]:
        """The k best skills of a state with their scores, whatever the threshold says."""
        return top(self.selector.scores(state_text(state)), k)

    def add(self, skill: RoutedSkill) -> Self:
        """A router with one skill more; features, thresholds and all other skills stay.

        Raises:
            RouterError: it has a skill of that name; remove it first.
        """
        if skill.name in {known.name for known in self.skills}:
            raise RouterError(f"skill {skill.name!r} is in this router already: remove it first")
        candidates = {
            name: candidate.with_skill(
                skill.name,
                SELECTORS[name.split("/")[0]](skill, candidate.features, seed=self.seed),
                form=skill.form,
            )
            for name, candidate in self.candidates.items()
        }
        return replace(self, skills=(*self.skills, skill), candidates=candidates)

    def remove(self, name: str) -> Self:
        """A router with one skill less.

        Raises:
            RouterError: it has no such skill.
        """
        left = tuple(skill for skill in self.skills if skill.name != name)
        if len(left) == len(self.skills):
            known = ", ".join(sorted(skill.name for skill in self.skills))
            raise RouterError(f"no skill {name!r} in this router; it has {known}")
        candidates = {key: c.without_skill(name) for key, c in self.candidates.items()}
        return replace(self, skills=left, candidates=candidates)

    def require_fresh(self, digests: Mapping[str, str], *, base: str | None = None) -> None:
        """Check that the store still holds what the router was fitted for.

        Args:
            digests: skill -> version digest, or digest of the skill folder, as it is now.
            base: family digest of the base that is served; None leaves it unchecked.

        Raises:
            StaleRouter: naming every skill that was added, removed or changed.
        """
        if base is not None and base != self.base:
            raise StaleRouter(
                f"this router was fitted for base {self.base}, served is {base}: fit it again"
            )
        known = self.digests
        changed = {
            "added": sorted(digests.keys() - known.keys()),
            "removed": sorted(known.keys() - digests.keys()),
            "changed": sorted(n for n in known.keys() & digests if known[n] != digests[n]),
        }
        said = [f"{what}: {', '.join(names)}" for what, names in changed.items() if names]
        if said:
            raise StaleRouter(
                f"the skills are not those this router was fitted for ({'; '.join(said)}): fit "
                "it again, or add and remove them"
            )

    def save(self, folder: Path) -> None:
        """Write the router into a folder; what was there is replaced at the very end."""
        candidates, arrays = pack_candidates(self.candidates, self.dev)
        document = saved.SavedRouter(
            base=self.base,
            base_dir=None if self.base_dir is None else str(self.base_dir.absolute()),
            seed=self.seed,
            auto=self.auto,
            skills=tuple(
                saved.SavedSkill(
                    name=skill.name,
                    description=skill.description,
                    form=skill.form,
                    digest=skill.digest,
                )
                for skill in self.skills
            ),
            candidates=candidates,
        )
        saved.write(folder, document, arrays)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        base: str | None = None,
        base_dir: Path | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> Self:
        """Read a saved router. Training requests are not kept, only what was made of them.

        Args:
            folder: written by `save`.
            base: family digest of the base that is served; None leaves it unchecked.
            base_dir: where the base is now, by default where it was; only read where `auto` needs
                the embedding, else the candidates that would need it are left out.
            digests: as for `require_fresh`; None leaves the skills unchecked.

        Raises:
            RouterError: no router there, or files that were changed.
            StaleRouter: another base, or other skills.
        """
        document, arrays = saved.read(folder)
        candidates = unpack_candidates(document, arrays, base_dir=base_dir)
        where = base_dir or (None if document.base_dir is None else Path(document.base_dir))
        router = cls(
            base=document.base,
            skills=tuple(
                RoutedSkill(skill.name, skill.description, (), skill.form, skill.digest)
                for skill in document.skills
            ),
            candidates=candidates,
            dev={
                name: DevFigures(saved_one.threshold, saved_one.right, saved_one.abstained)
                for name, saved_one in document.candidates.items()
            },
            auto=document.auto,
            base_dir=where,
            seed=document.seed,
        )
        if base is not None or digests is not None:
            router.require_fresh(router.digests if digests is None else digests, base=base)
        return router
