"""The error tree: one root, a fitting built-in each, all problems in one message."""

import pickle

import pytest
from skillweave.adapters import errors
from skillweave.adapters.errors import AdapterRefused, Problem, SkillweaveError


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("SkillError", ValueError),
        ("RefusedSkill", ValueError),
        ("InvalidName", ValueError),
        ("ModelStringError", ValueError),
        ("NotFound", LookupError),
        ("Conflict", ValueError),
        ("AdapterRefused", ValueError),
        ("BaseMismatch", ValueError),
        ("StoreError", OSError),
        ("HubError", RuntimeError),
        ("TeacherError", RuntimeError),
        ("EngineError", RuntimeError),
        ("EngineMissing", errors.EngineError),
        ("PortInUse", errors.EngineError),
        ("BudgetExceeded", RuntimeError),
        ("TrainingDiverged", ArithmeticError),
        ("UsageError", ValueError),
        ("MissingAbility", errors.UsageError),
    ],
)
def test_each_error_is_ours_and_a_builtin(name: str, builtin: type[Exception]) -> None:
    error = getattr(errors, name)
    assert issubclass(error, SkillweaveError)
    assert issubclass(error, builtin)
    assert errors.__doc__ is not None
    assert f" {name} " in errors.__doc__


def test_a_refusal_shows_every_problem_with_its_remedy_and_survives_pickling() -> None:
    refusal = AdapterRefused([Problem("a", "first", "do this"), Problem("b", "second")], "/x")
    again = pickle.loads(pickle.dumps(refusal))
    assert again.problems == refusal.problems
    for part in ("/x", "2 problem", "[a] first Remedy: do this", "[b] second"):
        assert part in str(again)
