"""What the base may never see, and that splits stay apart."""

import itertools
import random

import pytest
from skillweave.distill.worlds.string_skills import (
    Operation,
    SkillSpec,
    held_out_parts,
    is_held_out,
)
from skillweave.distill.worlds.string_skills.formats import FORMATS
from skillweave.distill.worlds.string_skills.held_out import (
    STEPS,
    held_out_spec,
    held_out_specs,
    is_reducible,
)
from skillweave.distill.worlds.string_skills.primitives import PRIMITIVES, parameter_values
from skillweave.distill.worlds.string_skills.split import OPEN_FORMAT
from skillweave.distill.worlds.string_skills.teaching import open_spec
from skillweave.distill.worlds.string_skills.topics import TOPICS

ANY = {kind: Operation(kind, parameter_values(kind)[0]) for kind in PRIMITIVES}


def composed(*kinds: str, form: str = "plain", topic: str = "picnic") -> SkillSpec:
    return SkillSpec(tuple(ANY[kind] for kind in kinds), form, topic)


def runs(spec: SkillSpec) -> list[tuple[str, ...]]:
    """Contiguous runs of two or more, counted independently of the rule."""
    kinds = [operation.kind for operation in spec.operations]
    pairs = itertools.combinations(range(len(kinds) + 1), 2)
    return [tuple(kinds[a:b]) for a, b in pairs if b - a >= 2]


def test_one_step_is_held_out_by_primitive_parameters_and_format_not_by_topic() -> None:
    told = [
        (kind, params, form)
        for kind in PRIMITIVES
        for params in parameter_values(kind)
        for form in FORMATS
        if form != OPEN_FORMAT
    ]
    out = {
        (kind, params, form): is_held_out(SkillSpec((Operation(kind, params),), form, "picnic"))
        for kind, params, form in told
    }
    share = sum(out.values()) / len(out)
    assert 0.13 < share < 0.17
    for kind, params, form in random.Random(0).sample(told, 50):
        elsewhere = SkillSpec((Operation(kind, params),), form, "circus")
        assert is_held_out(elsewhere) == out[kind, params, form]
    # Neither the primitive nor the format alone decides.
    mixed = {kind for kind, *_ in told if len({v for k, v in out.items() if k[0] == kind}) == 2}
    assert len(mixed) > 10


def test_no_one_step_skill_in_the_open_format_is_held_out() -> None:
    assert not any(
        is_held_out(SkillSpec((Operation(kind, params),), OPEN_FORMAT, "picnic"))
        for kind in PRIMITIVES
        for params in parameter_values(kind)
    )


def test_a_pair_is_held_out_by_its_ordered_kinds_alone() -> None:
    pairs = [(a, b) for a in PRIMITIVES for b in PRIMITIVES if a != b]
    out = {pair: is_held_out(composed(*pair)) for pair in pairs}
    assert 0.10 < sum(out.values()) / len(out) < 0.20
    assert any(out[a, b] != out[b, a] for a, b in pairs)
    rng = random.Random(0)
    for pair in rng.sample(pairs, 50):
        operations = tuple(Operation(k, rng.choice(parameter_values(k))) for k in pair)
        other = SkillSpec(operations, rng.choice(tuple(FORMATS)), rng.choice(tuple(TOPICS)))
        assert is_held_out(other) == out[pair]


def test_a_held_out_pair_or_triple_is_held_out_inside_anything_longer() -> None:
    rng = random.Random(1)
    found = 0
    for _ in range(2000):
        kinds = rng.choices(tuple(PRIMITIVES), k=rng.choice((3, 4, 5)))
        spec = composed(*kinds)
        inside = [composed(*run) for run in runs(spec) if len(run) in (2, 3)]
        if any(is_held_out(part) for part in inside):
            found += 1
            assert is_held_out(spec)
    assert found > 500


def test_a_pair_with_something_between_is_another_composition() -> None:
    held = next(p for p in itertools.permutations(PRIMITIVES, 2) if is_held_out(composed(*p)))
    apart = [composed(held[0], middle, held[1]) for middle in PRIMITIVES if middle not in held]
    assert not all(is_held_out(spec) for spec in apart)


def test_the_parts_are_named_and_empty_where_the_base_may_see_the_skill() -> None:
    held = next(p for p in itertools.permutations(PRIMITIVES, 2) if is_held_out(composed(*p)))
    free = next(p for p in itertools.permutations(PRIMITIVES, 2) if not is_held_out(composed(*p)))
    assert held_out_parts(composed(*held)) == (">".join(held),)
    assert held_out_parts(composed(*free)) == ()


def test_no_pretraining_skill_holds_a_held_out_part() -> None:
    rng = random.Random(2)
    for index in range(600):
        spec = open_spec(rng, 1 + index % 3)
        assert held_out_parts(spec) == ()
        assert not any(is_held_out(composed(*run)) for run in runs(spec))


def test_held_out_skills_are_drawn_by_seed_with_topics_of_their_own() -> None:
    specs = held_out_specs(5)
    assert [len(spec.operations) for spec in specs] == list(STEPS)
    assert all(is_held_out(spec) for spec in specs)
    assert len({spec.topic for spec in specs}) == len(specs)
    assert held_out_specs(5) == specs != held_out_specs(6)
    assert held_out_spec(random.Random(0), 2, topic="farm").topic == "farm"
    with pytest.raises(ValueError, match="asked for 25 skills, expected at most 24"):
        held_out_specs(0, steps=(1,) * 25)


def operation(kind: str, *params: str) -> Operation:
    return Operation(kind, params)


@pytest.mark.parametrize(
    ("operations", "reducible"),
    [
        ((operation("rotate-right", "2"), operation("drop-first", "2")), True),  # drop the last two
        ((operation("swap-pairs"), operation("sort", "up"), operation("double")), True),
        ((operation("reverse"), operation("rotate-left", "1")), False),
        ((operation("prepend", "t"), operation("rotate-left", "2")), False),
        ((operation("reverse"),), False),
    ],
)
def test_a_skill_that_a_shorter_one_equals_is_reducible(
    operations: tuple[Operation, ...], reducible: bool
) -> None:
    assert is_reducible(SkillSpec(operations, "commas", "picnic")) is reducible


def test_no_drawn_skill_is_reducible() -> None:
    rng = random.Random(3)
    assert not any(is_reducible(held_out_spec(rng, 1 + n % 3)) for n in range(60))
