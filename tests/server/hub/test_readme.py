"""The YAML block of a README: flat values only, and none that costs more than it says."""

import pytest
from skillweave.server.hub.errors import Refusal
from skillweave.server.hub.readme import front_matter, tags_of


def test_flat_values_are_kept_and_nested_ones_dropped() -> None:
    text = "---\nlicense: mit\ntags: [a, b, {c: d}]\nn: 3\nmodel-index:\n- x: y\n---\n# text\n---\n"
    assert front_matter(text) == {"license": "mit", "tags": ["a", "b"], "n": 3, "model-index": []}
    assert front_matter("# no block") == front_matter("---\nnever ended") == {}
    assert front_matter("---\n---\n") == {}


def test_a_document_that_grows_when_it_is_repeated_stays_small() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    found = front_matter("---\n" + "\n".join(lines) + "\n---\n")
    assert found["a0"] == ["x", "x"]
    assert all(value == [] for key, value in found.items() if key != "a0")


@pytest.mark.parametrize(
    "block", ["a: [", "- a\n- b", "just text", "a: " + "x" * 70_000, "a: !!python/object:os.x {}"]
)
def test_what_is_no_header_is_refused(block: str) -> None:
    with pytest.raises(Refusal) as told:
        front_matter(f"---\n{block}\n---\n")
    assert told.value.status == 400


def test_what_a_repository_is_found_by() -> None:
    card = front_matter(
        "---\ntags: [lora, lora]\nlicense: mit\n"
        "base_model: x/y\nbase_model_relation: adapter\n---\n"
    )
    assert tags_of(card) == ["lora", "license:mit", "base_model:x/y", "base_model:adapter:x/y"]
