"""Matched layouts as arms: each says the same, and each arm is asked with its own text."""

from skillweave.distill.skill_documents import (
    Fact,
    Section,
    SkillDocument,
    fact_digest,
    flat,
    layout_arms,
    matched,
    read_back,
    reader_of,
)

PETS = SkillDocument("Codes", (Section("animal", (Fact("cat", "a 1"), Fact("dog", "b 2"))),))
TOOLS = SkillDocument("Codes", (Section("tool", (Fact("saw", "c 3"), Fact("nail", "d 4"))),))


def count(text: str) -> int:
    return len(text.split())


def test_all_layouts_but_the_control_have_the_documents_digest() -> None:
    found = matched(PETS)
    said = {name: fact_digest(read_back(layout)) for name, layout in found.layouts.items()}
    shuffled = said.pop("shuffled")
    assert set(said.values()) == {found.digest} == {fact_digest(PETS.facts)}
    assert shuffled == fact_digest([Fact("cat", "b 2"), Fact("dog", "a 1")])


def test_every_arm_asks_each_cluster_with_its_own_document() -> None:
    documents = {"pets": matched(PETS), "tools": matched(TOOLS)}
    arms = {arm.name: arm for arm in layout_arms(documents, budget=9)}
    assert arms["flat"].system_for("pets") == flat(PETS).root
    for name in ("progressive", "chunked", "shuffled"):
        system = arms[name].system_for("tools")
        assert system is not None
        assert reader_of(system) == (documents["tools"].layouts[name], 9)
    # No two arms share a text, so none is ever taken for another.
    assert len({arm.system_for("pets") for arm in arms.values()}) == 4


def test_trails_of_the_layouts_differ_in_what_they_touch() -> None:
    found = matched(PETS)
    request = "the code of the cat."
    read = {
        layout: found.trail(layout, request, budget=100, count=count)
        for layout in ("flat", "progressive", None)
    }
    assert [len(trail.actions) for trail in read.values()] == [1, 2, 0]
    assert [trail.saw_all for trail in read.values()] == [True, True, False]
    assert [trail.prompt_tokens for trail in read.values()] == [
        0,
        count(found.layouts["progressive"].root) + count(request),
        0,
    ]
    assert not found.trail("progressive", request, budget=1, count=count).saw_all


def test_the_topics_of_a_request_are_the_sections_of_its_keys() -> None:
    both = matched(SkillDocument("Codes", (*PETS.sections, *TOOLS.sections)))
    assert both.topics("join the saw and the dog") == ("animal", "tool")
    assert both.topics("the nail and the saw") == ("tool",)
    assert both.topics("the moon") == ()
