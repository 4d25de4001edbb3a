"""The `model` string: every example parses, every fault is named, spelling round-trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.adapters.errors import ModelStringError
from skillweave.adapters.expr import (
    Model,
    ModelAuto,
    ModelBase,
    ModelTerms,
    Term,
    format_model,
    parse_model,
    parse_ref,
)
from skillweave.adapters.names import AdapterId

SQL = AdapterId(None, "sql-report")


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("base", ModelBase()),
        ("auto", ModelAuto()),
        ("sql-report", ModelTerms((Term(SQL),))),
        ("sql-report@3", ModelTerms((Term(SQL, version=3),))),
        ("sql-report@prod", ModelTerms((Term(SQL, alias="prod"),))),
        ("sql-report@latest", ModelTerms((Term(SQL, alias="latest"),))),
        ("sql-report@prod:text", ModelTerms((Term(SQL, alias="prod", form="text"),))),
        ("sql-report:adapter:exact", ModelTerms((Term(SQL, form="adapter"),), exact=True)),
        ("team/a", ModelTerms((Term(AdapterId("team", "a")),))),
        (
            "sql-report*0.7+csv-clean*-0.2",
            ModelTerms((Term(SQL, weight=0.7), Term(AdapterId(None, "csv-clean"), weight=-0.2))),
        ),
        ("a@2:adapter*1", ModelTerms((Term(AdapterId(None, "a"), 2, None, "adapter", 1.0),))),
    ],
)
def test_the_grammar_by_example(text: str, model: Model) -> None:
    assert parse_model(text) == model


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 characters"),
        ("a" * 1025, "1025 characters"),
        ("+".join(["a"] * 17), "17 terms"),
        ("a+", "not a term"),
        ("+a", "not a term"),
        ("@prod", "not a term"),
        ("a@1@2", "not a term"),
        ("a*1:text", "not a term"),
        ("GPT-4", "not a slug"),
        ("a b", "not a slug"),
        ("a/b/c", "not a slug"),
        ("a@", "alias ''"),
        ("a@0", "alias '0'"),
        ("a@base", "reserved"),
        ("auto:text", "stand alone"),
        ("base+a", "stand alone"),
        ("latest", "stand alone"),
        ("a:merged", "form 'merged'"),
        ("a:exact:text", "not a term"),
        ("a*", "weight ''"),
        ("a*1e3", "weight '1e3'"),
        ("a*nan", "weight 'nan'"),
        ("a*+1", "weight ''"),
        ("a*1001", "out of range"),
        ("a:text+b", "need adapters"),
        ("a:text*0.5", "need adapters"),
        ("a:text:exact", "need adapters"),
    ],
)
def test_every_fault_is_named(text: str, reason: str) -> None:
    with pytest.raises(ModelStringError, match=reason.replace("*", r"\*").replace("+", r"\+")):
        parse_model(text)


def test_a_reference_has_neither_form_nor_weight() -> None:
    assert parse_ref("team/a@2").ref == "team/a@2"
    for text in ("a:text", "a*2"):
        with pytest.raises(ModelStringError, match="form or a weight"):
            parse_ref(text)


slugs = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5})?", fullmatch=True).filter(
    lambda s: s not in {"base", "auto", "latest"}
)
which = st.one_of(
    st.just((None, None)),
    st.tuples(st.integers(1, 999_999_999), st.none()),
    st.tuples(st.none(), slugs | st.just("latest")),
)
weights = st.floats(-1000, 1000).map(lambda w: round(w, 12) + 0.0)


@st.composite
def models(draw: st.DrawFn) -> ModelTerms:
    terms = []
    for _ in range(draw(st.integers(1, 4))):
        version, alias = draw(which)
        adapter_id = AdapterId(draw(st.none() | slugs), draw(slugs))
        form = draw(st.sampled_from([None, "adapter"]))
        terms.append(Term(adapter_id, version, alias, form, draw(st.none() | weights)))
    return ModelTerms(tuple(terms), draw(st.booleans()))


@given(models())
def test_spelling_round_trips(model: ModelTerms) -> None:
    assert parse_model(format_model(model)) == model


@given(st.text(alphabet="ab1/@:*+-.exactbase", max_size=24))
def test_any_text_parses_to_something_that_round_trips_or_is_refused(text: str) -> None:
    try:
        model = parse_model(text)
    except ModelStringError:
        return
    assert parse_model(format_model(model)) == model
