"""Tables of the world of facts as one document."""

import pytest
from skillweave.adapters import SkillError
from skillweave.distill.skill_documents import Fact, matched
from skillweave.distill.skill_documents.tables import document_of
from skillweave.distill.token_meter import tiny_meter
from skillweave.distill.worlds.facts import FactsSpec, facts_skill, knowledge_split


def test_every_fact_of_every_table_stands_in_the_document() -> None:
    pets = FactsSpec("animal", (("cat", ("p", "k")), ("dog", ("2", "g", "1"))), ("recall",))
    tools = FactsSpec("tool", (("nail", ("q", "r")), ("rope", ("9", "s"))), ("recall",))
    document = document_of([facts_skill(pets, seed=0), facts_skill(tools, seed=0)])
    assert [section.topic for section in document.sections] == ["animal", "tool"]
    assert document.facts == (
        Fact("cat", "p k"), Fact("dog", "2 g 1"), Fact("nail", "q r"), Fact("rope", "9 s")
    )  # fmt: skip
    with pytest.raises(SkillError, match="topic 'animal' stands twice"):
        document_of([facts_skill(pets, seed=0), facts_skill(pets, seed=1)])


def test_the_shipped_base_knows_every_word_that_it_is_shown() -> None:
    tables = knowledge_split(("recall",), num_source=13, num_target=0, seed=0).source
    layouts = matched(document_of(tables)).layouts
    shown = [layouts["flat"].root, *layouts["progressive"].resources.values()]
    shown += layouts["chunked"].resources.values()
    assert {tiny_meter().byte_share(text) for text in shown} == {0.0}
