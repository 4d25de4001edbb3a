"""Names: slugs, ids, aliases, versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import InvalidName
from skillweave.adapters.names import (
    AdapterId,
    is_slug,
    parse_version,
    slugify,
    validate_alias,
    validate_name,
    validate_version,
)


@pytest.mark.parametrize("text", ["a", "sql-report", "3d-print", "x" * 64])
def test_slugs_are_names(text: str) -> None:
    assert validate_name(text) == text


@pytest.mark.parametrize(
    "text", ["", "A", "a_b", "a--b", "-a", "a-", "a b", "a.b", "ä", "x" * 65, "a\n", "../a", "a/b"]
)
def test_everything_else_is_no_name(text: str) -> None:
    with pytest.raises(InvalidName, match="not a slug"):
        validate_name(text)


@pytest.mark.parametrize("text", ["base", "auto", "latest"])
def test_reserved_words_name_nothing(text: str) -> None:
    with pytest.raises(InvalidName, match="reserved"):
        validate_name(text)
    with pytest.raises(InvalidName, match="reserved"):
        validate_alias(text)
    with pytest.raises(InvalidName, match="reserved"):
        AdapterId(text, "a")


def test_an_alias_starts_with_a_letter() -> None:
    assert validate_alias("prod-2") == "prod-2"
    for text in ("2", "2prod", "", "Prod"):
        with pytest.raises(InvalidName, match="letter"):
            validate_alias(text)


def test_versions_count_from_one_without_leading_zeros() -> None:
    assert parse_version("12") == 12
    assert [parse_version(t) for t in ("0", "01", "-1", "x", "", "1.0", "9" * 10)] == [None] * 7
    with pytest.raises(InvalidName, match="out of range"):
        validate_version(0)


@pytest.mark.parametrize(
    ("original", "slug"),
    [("SQL Report", "sql-report"), ("Émile_Zola!", "emile-zola"), ("a -- b", "a-b")],
)
def test_slugify_folds_case_accents_and_separators(original: str, slug: str) -> None:
    assert slugify(original) == slug


def test_slugify_keeps_names_apart_where_letters_are_lost() -> None:
    names = ["数据 sql", "日本 sql", "sql", "x" * 70, "x" * 71, "auto", "", "!"]
    assert len({slugify(name) for name in names}) == len(names)


@given(st.text())
def test_every_text_has_a_valid_slug_and_slugify_is_stable(text: str) -> None:
    slug = slugify(text)
    assert validate_name(slug) == slugify(slug) == slug


slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True).filter(
    lambda s: s not in {"base", "auto", "latest"}
)
ids = st.builds(AdapterId, st.none() | slugs, slugs)


@given(ids)
def test_ids_round_trip_through_text_and_folder(adapter_id: AdapterId) -> None:
    assert AdapterId.parse(str(adapter_id)) == adapter_id
    assert AdapterId.from_folder(adapter_id.folder) == adapter_id
    assert "/" not in adapter_id.folder


@given(st.text(max_size=12))
def test_no_text_becomes_an_id_that_leaves_its_folder(text: str) -> None:
    try:
        adapter_id = AdapterId.parse(text)
    except InvalidName:
        return
    assert is_slug(adapter_id.name)
    assert set(adapter_id.folder) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
