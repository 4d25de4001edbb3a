"""What answers one request, in all that the relay, the headers and the bill need. Pure.

Owns how the base, a skill and a sum look from outside. Refuses to own the choice (`resolve.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ....adapters.skills import Skill
from ..residency.servable import Servable, of_version
from ..sums.composer import Mix
from ..telemetry.span import Span
from .found import Found

BASE = "base"


@dataclass(frozen=True)
class Target:
    """What answers: the base, an adapter (a sum is one, too), or the base with a skill's text.

    `public` is the name that the client gave and reads again; `name` what answers, for people;
    `billed` the same without versions and weights, for metrics and bills; `skill` goes into the
    system message; `template_arguments` are defaults for the chat template.
    """

    public: str
    name: str
    billed: str
    form: str
    version: str
    route: str
    adapter: Servable | None = None
    skill: Skill | None = None
    template_arguments: Mapping[str, object] = field(default_factory=dict)

    def describe(self, span: Span) -> None:
        """Write down what answers, for metrics and logs."""
        span.adapter, span.version, span.form = self.billed, self.version, self.form
        span.route = self.route

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The reply headers; `-error` is the relative error of a sum, 0 for one adapter."""
        pairs = (
            (b"x-skillweave-adapter", self.name),
            (b"x-skillweave-version", self.version),
            (b"x-skillweave-form", self.form),
            (b"x-skillweave-route", self.route),
            (b"x-skillweave-error", "" if self.adapter is None else f"{self.adapter.error:.6g}"),
        )
        return tuple((name, value.encode()) for name, value in pairs if value)


def of_base(public: str, route: str) -> Target:
    """The base alone."""
    return Target(public, BASE, BASE, "none", "", route)


def of_found(public: str, found: Found, route: str) -> Target:
    """One skill in the form it was found in."""
    version = found.version if found.form == "adapter" else None
    return Target(
        public,
        found.id,
        found.id,
        found.form,
        found.version_label,
        route,
        adapter=found.step or (of_version(version) if version is not None else None),
        skill=found.skill if found.form == "text" else None,
        template_arguments=found.template_arguments,
    )


def of_mix(public: str, mix: Mix, route: str) -> Target:
    """A sum."""
    return Target(
        public,
        mix.recipe.label,
        mix.recipe.names,
        "adapter",
        mix.servable.label,
        route,
        adapter=mix.servable,
        template_arguments=mix.template_arguments,
    )
