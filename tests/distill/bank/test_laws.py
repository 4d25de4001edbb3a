"""Laws that hold for any sequence of operations."""

from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import Conflict, NotFound, SkillError
from skillweave.distill.bank import Observation, SkillBank, SkillOp, text_digest
from skillweave.distill.bank.types import Event, EventBody

from .samples import FAILED, PASSED, WHY, text

NAMES = st.sampled_from("abcd")
BODIES = st.sampled_from(["1. Split.", "1. Split the text.", "1. Count all that is there.", ""])
OPS = st.builds(
    lambda kind, targets, new, gate: SkillOp(
        kind=kind, targets=targets, new=tuple(text(n, b) for n, b in new), gate=gate
    ),
    st.sampled_from(["create", "create", "improve", "merge", "split", "compress", "retire"]),
    st.lists(NAMES, max_size=2).map(tuple),
    st.lists(st.tuples(NAMES, BODIES), max_size=2),
    st.sampled_from([WHY, PASSED, FAILED]),
)
SEEN = st.builds(
    Observation,
    uses=st.integers(0, 3),
    utility=st.none() | st.floats(-1, 1),
    failures=st.lists(st.sampled_from(["t1", "t2"]), max_size=3).map(tuple),
    halve_failures=st.booleans(),
)
STEPS = st.lists(
    st.one_of(OPS, OPS, OPS, st.tuples(NAMES, SEEN), st.integers(0, 30)), min_size=1, max_size=25
)
Step = SkillOp | tuple[str, Observation] | int


def take(bank: SkillBank, step: Step) -> bool:
    """One step on a bank; False where the bank refused it."""
    try:
        if isinstance(step, SkillOp):
            bank.apply(step)
        elif isinstance(step, int):
            bank.rollback(bank.events[step % len(bank.events)].id)
        else:
            bank.observe(*step)
    except (SkillError, NotFound, Conflict):
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_replaying_the_log_gives_the_same_bank(steps: list[Step]) -> None:
    bank = SkillBank()
    for step in steps:
        before = (bank.events, bank.state)
        if not take(bank, step):
            assert (bank.events, bank.state) == before
    again = SkillBank([Event.model_validate_json(event.line()) for event in bank.events])
    assert again.state == bank.state
    assert again.events == bank.events


@settings(max_examples=40, deadline=None)
@given(STEPS, STEPS)
def test_a_fork_never_changes_its_origin_and_equals_the_unforked_run(
    past: list[Step], future: list[Step]
) -> None:
    bank, straight = SkillBank(), SkillBank()
    for step in past:
        take(bank, step)
        take(straight, step)
    seen = (bank.events, bank.state)
    fork = bank.fork()
    for step in future:
        take(fork, step)
        take(straight, step)
    assert (bank.events, bank.state) == seen
    assert (fork.events, fork.state) == (straight.events, straight.state)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_heads_name_versions_and_rollback_undoes_anything(steps: list[Step]) -> None:
    bank = SkillBank()
    known: dict[str, object] = {}
    for step in steps:
        take(bank, step)
        known[bank.snapshot()] = dict(bank.state.heads)
        for name, digest in bank.state.heads.items():
            version = bank.state.versions[digest]
            assert version.name == name
            assert text_digest(version) == digest
    for snapshot, heads in known.items():
        fork = bank.fork()
        fork.rollback(snapshot)
        assert fork.state.heads == heads
        assert fork.state.versions == bank.state.versions
        assert fork.state.stats == bank.state.stats


def test_an_event_changes_its_id_with_anything_that_it_says() -> None:
    bodies: list[EventBody] = []
    bank = SkillBank()
    for name in "ab":
        bodies.append(bank.apply(SkillOp(kind="create", new=(text(name),), gate=WHY)).body)
    first = bank.events[0]
    ids = {Event.after(first, body).id for body in bodies}
    ids |= {Event.after(bank.events[1], body).id for body in bodies}
    assert len(ids) == 4
