"""Facts are normalised, and their digest speaks of the set alone."""

import pytest
from skillweave.adapters import SkillError
from skillweave.distill.skill_documents import (
    Fact,
    Section,
    SkillDocument,
    fact_digest,
    facts_in,
    flat,
    misdealt,
)


def test_normalised_facts_fold_case_and_blanks_and_drop_the_full_stop() -> None:
    assert Fact(" The  Cat", "A 1 b. ").normal == Fact("the cat", "a 1 b")


def test_the_digest_is_of_the_set_whatever_order_case_and_repetition() -> None:
    one, two = Fact("cat", "a 1"), Fact("dog", "b 2")
    digest = fact_digest([one, two])
    assert fact_digest([two, Fact("CAT", "a  1."), one]) == digest
    assert fact_digest([one]) != digest
    assert fact_digest([Fact("cat", "b 2"), Fact("dog", "a 1")]) != digest
    # sha256 of '[["cat", "a 1"]]', worked with sha256sum.
    assert fact_digest([one]) == "37905d60b017f68326f0beb03036a2b88fe9042c57a8a6ca7f03fd5c4f21c93a"


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "a"), ("a", " . "), ("a\nb", "c"), ("a", "b\x85c"), ("a: b", "c"), ("a, b", "c"),
     ("[a", "b"), (" [a", "b")],
)  # fmt: skip
def test_what_could_not_be_read_back_is_no_fact(key: str, value: str) -> None:
    with pytest.raises(SkillError, match="expected a key"):
        Fact(key, value)


def test_a_document_says_no_key_twice_and_has_no_topic_twice() -> None:
    cat, dog = Section("animal", (Fact("cat", "a"),)), Section("pet", (Fact("Cat ", "b"),))
    with pytest.raises(SkillError, match="key 'cat' stands twice"):
        SkillDocument("codes", (cat, dog))
    with pytest.raises(SkillError, match="topic 'animal' stands twice"):
        SkillDocument("codes", (cat, Section("animal", (Fact("dog", "b"),))))
    with pytest.raises(SkillError, match="at least one section"):
        SkillDocument("codes", ())
    with pytest.raises(SkillError, match="title of one line"):
        SkillDocument("codes\n=== other", (cat,))
    with pytest.raises(SkillError, match="at least one fact"):
        Section("animal", ())


def test_misdealt_facts_are_all_wrong_in_the_same_words() -> None:
    facts = (Fact("cat", "a 1"), Fact("dog", "b 2"), Fact("owl", "c 3"))
    document = SkillDocument(
        "codes", (Section("animal", facts), Section("tool", (Fact("saw", "d"),)))
    )
    wrong = misdealt(document)
    assert wrong.facts == (
        Fact("cat", "b 2"), Fact("dog", "c 3"), Fact("owl", "a 1"), Fact("saw", "d")
    )  # fmt: skip
    assert sorted(flat(wrong).text.split()) == sorted(flat(document).text.split())
    assert set(facts_in(flat(wrong).root)) & set(facts) == set()
