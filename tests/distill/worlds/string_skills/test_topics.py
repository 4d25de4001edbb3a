"""Topics: enough of them, and routing by words is possible in principle."""

from collections import Counter

from skillweave.distill.worlds.string_skills.topics import TOPICS


def test_every_topic_has_words_for_descriptions_and_others_for_requests() -> None:
    for topic in TOPICS.values():
        assert len(topic.told) == len(topic.untold) == 4
        assert len({*topic.told, *topic.untold}) == 8
        assert topic.slug in topic.told


def test_hardly_any_word_belongs_to_two_topics() -> None:
    counts = Counter(w for topic in TOPICS.values() for w in (*topic.told, *topic.untold))
    assert [word for word, number in counts.items() if number > 1] == ["tent"]
