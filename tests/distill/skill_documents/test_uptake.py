"""Resources touched and uptake, on trajectories counted by hand."""

import pytest
from skillweave.distill.evaluation.types import ItemResult
from skillweave.distill.skill_documents import (
    Action,
    Fact,
    Layers,
    Section,
    SkillDocument,
    Trail,
    layers_of,
    touched,
    uptakes,
    wanted_facts,
)
from skillweave.distill.skill_documents.phrases import occurs

ROOT = Action("", "root", "# Codes\n\n- [animal]: cat, dog\n- [tool]: saw")
ANIMAL = Action("open animal", "animal", "# Animal list\n\n- cat: a 1\n- dog: b 2")
TOOL = Action("open tool", "tool", "# Tool list\n\n- saw: c 3\n- nail: a 1")
FLAT = Action("", "root", "- cat: a 1\n- dog: b 2\n- saw: c 3")
SAW = Fact("saw", "c 3")
WAIT = Action("wait")
REQUEST = "write the code of the cat."


@pytest.mark.parametrize(
    ("actions", "num_touched", "taken_up"),
    [
        ([Action("final: a 1")], 0, ()),  # nothing was read
        ([FLAT, Action("final: a 1")], 1, ("root",)),
        ([FLAT, Action("final: z 9")], 1, ()),  # read, not used
        ([FLAT, Action("the cat")], 1, ()),  # the request named it before
        ([ROOT, ANIMAL, Action("final: a 1")], 2, ("root", "animal")),
        ([ROOT, ANIMAL, Action("final: c 3")], 2, ("root",)),  # it stands elsewhere
        ([ROOT, ANIMAL, TOOL, Action("final: c 3 b 2")], 3, ("root", "animal", "tool")),
        # a 1 stands in both; only the first resource that showed it counts
        ([ROOT, ANIMAL, TOOL, Action("final: a 1")], 3, ("root", "animal")),
        ([ANIMAL, ANIMAL, Action("final: a 1")], 1, ("animal",)),  # the second read is nothing new
        ([ANIMAL, WAIT, WAIT, Action("final: a 1")], 1, ("animal",)),  # the third action after it
        ([ANIMAL, WAIT, WAIT, WAIT, Action("final: a 1")], 1, ()),  # the fourth
        ([ANIMAL, Action("1: z 9\nfinal: b 2")], 1, ("animal",)),
        ([ANIMAL, Action("a: 1 b\n2")], 1, ()),  # not across a colon or a line
        ([ANIMAL, Action("final: ba 1")], 1, ()),  # whole words
    ],
)
def test_counted_by_hand(
    actions: list[Action], num_touched: int, taken_up: tuple[str, ...]
) -> None:
    assert touched(actions) == num_touched
    assert uptakes(REQUEST, actions) == taken_up


def test_a_value_that_the_request_gave_is_no_uptake() -> None:
    assert uptakes("what has the code a 1?", [ANIMAL, Action("final: a 1")]) == ()
    assert uptakes("what has the code a 1?", [ANIMAL, Action("final: cat")]) == ("animal",)


def test_a_phrase_occurs_as_whole_words_in_order() -> None:
    assert occurs("a 1", "final: b A 1.")
    assert not occurs("a 1", "1: a b 1")
    assert not occurs("", "anything")
    assert not occurs("...", "anything")


def result(item_id: str, answer: str, *, passed: bool, tokens: tuple[int, int]) -> ItemResult:
    return ItemResult(item_id, "c", "arm", passed, float(passed), *tokens, answer=answer)


def test_what_a_request_wants_and_whether_it_was_shown() -> None:
    document = SkillDocument(
        "Codes",
        (Section("animal", (Fact("cat", "a 1"), Fact("dog", "b 2"))), Section("tool", (SAW,))),
    )
    request = "join the saw and the Cat."
    wanted = wanted_facts(document, request)
    assert wanted == {Fact("cat", "a 1"), SAW}
    assert not Trail(request, wanted).saw_all
    assert not Trail(request, wanted, (ROOT, ANIMAL)).saw_all
    assert Trail(request, wanted, (ROOT, ANIMAL, TOOL)).saw_all
    wrong = Action("", "root", "- cat: a 2\n- saw: c 3")
    assert not Trail(request, wanted, (wrong,)).saw_all


def test_the_layers_of_an_arm_by_hand() -> None:
    rows = [
        result("i", "final: a 1", passed=True, tokens=(100, 4)),
        result("j", "final: c 3", passed=False, tokens=(200, 6)),
    ]
    cat = frozenset({Fact("cat", "a 1")})
    read = {"i": Trail(REQUEST, cat, (ROOT, ANIMAL), 60), "j": Trail(REQUEST, cat, (ROOT,), 140)}
    # touched 2 and 1; all shown in the first; uptake 2 and 0; 40 and 60 tokens of the answering
    # calls' prompts; one pass for 310 tokens
    assert layers_of(rows, read) == Layers(1.5, 0.5, 1.0, 0.5, 50.0, 310.0)
    unread = {"j": Trail(REQUEST, cat)}
    assert layers_of(rows[1:], unread) == Layers(0.0, 0.0, 0.0, 0.0, 200.0, None)
    assert str(layers_of(rows, read)) == (
        "touched 1.50, saw all 0.500, uptake 1.00, passed 0.500, 50 prompt tokens an answer, "
        "310 tokens a pass"
    )
    assert str(layers_of(rows[1:], unread)).endswith("nothing passed")
