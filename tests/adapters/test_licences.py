"""The rules of licences, by hand-worked cases and two laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.licences import (
    CLOSED,
    COPYLEFT,
    MODEL_LICENCES,
    NON_COMMERCIAL,
    PERMISSIVE,
    Source,
    combine,
    identifier,
    publishable,
)

ALL = sorted({*PERMISSIVE, *COPYLEFT, *NON_COMMERCIAL, *CLOSED, *MODEL_LICENCES})


def sources(*licences: str | None) -> list[Source]:
    return [
        Source(what, at) for what, at in zip(("skill", "base", "teacher"), licences, strict=False)
    ]


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (("mit", "apache-2.0"), "apache-2.0"),
        (("MIT", "CC0-1.0"), "mit"),
        (("mit",), "mit"),
        (("Apache License 2.0", "mit", "bsd-3-clause"), "apache-2.0"),
        (("gpl-3.0", "apache-2.0"), "gpl-3.0"),
        (("gpl-3.0", "agpl-3.0", "mit"), "agpl-3.0"),
        (("lgpl-3.0", "gpl-3.0-or-later"), "gpl-3.0"),
        (("cc-by-nc-4.0", "mit"), "cc-by-nc-4.0"),
        (("cc-by-nc-4.0", "cc-by-nc-sa-4.0"), "cc-by-nc-sa-4.0"),
        (("mit", "llama3.1"), "llama3.1"),
    ],
)
def test_what_follows(licences: tuple[str, ...], expected: str) -> None:
    assert combine(sources(*licences)).licence == expected


@pytest.mark.parametrize(
    ("licences", "words"),
    [
        ((None, "mit"), "the licence of the skill is unknown: state it (--skill-licence)"),
        (("mit", None), "the licence of the base is unknown: state it (--base-licence)"),
        (("cc-by-nd-4.0", "mit"), "lets nobody pass on"),
        (("see LICENSE.txt", "mit"), "in no table"),
        (("gpl-3.0", "cc-by-nc-4.0"), "cannot be combined"),
        (("gpl-2.0", "gpl-3.0"), "cannot be combined"),
        (("gemma", "llama3.1"), "cannot be combined"),
        (("gpl-3.0", "llama3.1"), "cannot be combined"),
        (("cc-by-nc-4.0", "gemma"), "cannot be combined"),
    ],
)
def test_what_is_not_publishable(licences: tuple[str | None, ...], words: str) -> None:
    found = combine(sources(*licences))
    assert found.licence is None
    assert words in "\n".join(found.problems)


def test_every_problem_is_named_at_once() -> None:
    assert len(combine(sources(None, None, "proprietary")).problems) == 3


def test_what_is_stated_may_only_be_stricter() -> None:
    parts = sources("mit", "apache-2.0")
    assert publishable(parts, stated="gpl-3.0").licence == "gpl-3.0"
    assert publishable(parts).licence == "apache-2.0"
    assert "requires apache-2.0" in publishable(parts, stated="mit").problems[-1]
    assert publishable(sources("mit", None), stated="mit").licence is None


def test_nothing_known_is_no_licence() -> None:
    assert combine([]).licence is None


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=3))
def test_the_order_never_matters_and_repeating_changes_nothing(licences: list[str]) -> None:
    found = combine(sources(*licences)).licence
    assert combine(sources(*reversed(licences))).licence == found
    if found is not None:
        assert combine([Source("skill", found), *sources(*licences)]).licence == found


@given(st.sampled_from(ALL))
def test_one_licence_is_itself_or_closed(licence: str) -> None:
    expected = None if licence in CLOSED else licence
    assert combine([Source("skill", licence)]).licence == expected
    assert identifier(f"  {licence.upper()} ") == licence
