"""Layouts say the same facts, and what they say is read back from their texts."""

import string
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters import SkillError
from skillweave.distill.skill_documents import (
    Fact,
    Rendering,
    Section,
    SkillDocument,
    chunked,
    fact_digest,
    flat,
    pointers_in,
    progressive,
    read_back,
    rendering_of,
    require_same_facts,
)

LAYOUTS: dict[str, Callable[[SkillDocument], Rendering]] = {
    "flat": flat,
    "progressive": progressive,
    "chunked-1": lambda document: chunked(document, 1),
    "chunked-3": lambda document: chunked(document, 3),
}
PETS = Section("animal", (Fact("cat", "a 1"), Fact("dog", "b 2")))
TOOLS = Section("tool", (Fact("saw", "c 3"),))
DOCUMENT = SkillDocument("Codes", (PETS, TOOLS))

words = st.text(string.ascii_letters + string.digits + " -[]=.'ßé", min_size=1, max_size=12)


def is_fact(pair: tuple[str, str]) -> bool:
    try:
        Fact(*pair)
    except SkillError:
        return False
    return True


@st.composite
def documents(draw: st.DrawFn) -> SkillDocument:
    pairs = draw(st.lists(st.tuples(words, words).filter(is_fact), min_size=1, max_size=8))
    facts = list({fact.normal.key: fact for fact in (Fact(*pair) for pair in pairs)}.values())
    cut = draw(st.integers(0, len(facts) - 1))
    parts = [part for part in (facts[:cut], facts[cut:]) if part]
    return SkillDocument("Codes", tuple(Section(f"t{i}", tuple(p)) for i, p in enumerate(parts)))


@given(documents())
@settings(max_examples=40, deadline=None)
def test_every_layout_reads_back_to_the_documents_facts(document: SkillDocument) -> None:
    rendered = {name: layout(document) for name, layout in LAYOUTS.items()}
    assert require_same_facts(document, rendered) == fact_digest(document.facts)
    for rendering in rendered.values():
        assert rendering_of(rendering.text) == rendering


def test_the_texts_of_a_document_by_hand() -> None:
    assert flat(DOCUMENT) == Rendering(
        "# Codes\n\n# Animal list\n\n- cat: a 1\n- dog: b 2\n\n# Tool list\n\n- saw: c 3"
    )
    assert progressive(DOCUMENT) == Rendering(
        "# Codes\n\nLook up the code here.\n\n- [animal]: cat, dog\n- [tool]: saw",
        {
            "animal": "# Animal list\n\n- cat: a 1\n- dog: b 2",
            "tool": "# Tool list\n\n- saw: c 3",
        },
    )


def test_a_chunk_depends_on_its_keys_alone_and_the_root_tells_none() -> None:
    rendering = chunked(DOCUMENT, 3)
    moved = chunked(SkillDocument("Codes", (TOOLS, PETS)), 3)
    assert moved == rendering
    assert set(pointers_in(rendering.root).values()) == {()}
    with pytest.raises(SkillError, match="0 chunks"):
        chunked(DOCUMENT, 0)


def test_a_renderer_that_drops_a_fact_is_caught() -> None:
    good = progressive(DOCUMENT)
    short = dict(good.resources, tool="# Tool list")
    unreachable = good.root.replace("\n- [tool]: saw", "")
    for bad, complaint in (
        (Rendering("# Codes\n\n- cat: a 1\n- saw: c 3"), "layout 'bad' lacks .*dog.*2 facts"),
        (Rendering(flat(DOCUMENT).root + "\n- owl: d 4"), "layout 'bad' adds .*owl.*4 facts"),
        (Rendering(flat(DOCUMENT).root.replace("c 3", "c 4")), "layout 'bad'"),
        (replace(good, root=unreachable), "layout 'bad' lacks .*saw"),
        (replace(good, resources=short), r"resource 'tool' lacks \['saw'\]"),
        (replace(good, resources={"animal": good.resources["animal"]}), "points at 'tool'"),
    ):
        with pytest.raises(SkillError, match=complaint):
            require_same_facts(DOCUMENT, {"good": good, "bad": bad})


def test_two_values_for_one_key_are_refused() -> None:
    with pytest.raises(SkillError, match="two values"):
        read_back(Rendering("- cat: a 1\n- Cat: b 2"))
    assert read_back(Rendering("- cat: a 1\n- Cat: A 1.")) == {Fact("cat", "a 1")}


def test_prose_and_pointers_are_no_facts() -> None:
    text = "Look here: now.\n- [animal]: cat, dog\n- [tool]\n -x: y\n- saw: c 3"
    assert read_back(Rendering("- saw: c 3")) == {Fact("saw", "c 3")}
    assert pointers_in(text) == {"animal": ("cat", "dog"), "tool": ()}
