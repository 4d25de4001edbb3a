"""Static features: what they see, what they ignore, where the embedding is read from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from skillweave.router import RouterError
from skillweave.router.features import EmbeddingFeatures, NgramFeatures
from skillweave.router.features.clip import MAX_CHARS, clip
from skillweave.router.features.embedding import EmbeddingTable
from skillweave.router.features.rarity import FLOOR, UNKNOWN, skill_rarity
from skillweave.router.selectors.prototypes import spherical_k_means

TEXTS = [["for the picnic: a b", "picnic list: c"], ["for the harbour: a b", "harbour list: c"]]


def test_a_word_of_one_skill_weighs_more_than_one_of_all_and_unknown_ones_less() -> None:
    # columns: in one skill, in both alike, in none; 2 skills, prior 0.5
    got = skill_rarity(np.array([[10, 10, 0], [0, 10, 0]], dtype=np.float32))
    assert got[0] == pytest.approx(np.log(3 / (1 + 11 / 10.5)) + FLOOR)
    assert got[1] == pytest.approx(FLOOR)
    assert got[2] == pytest.approx(UNKNOWN * (np.log(3 / 2) + FLOOR))
    assert got[0] > got[2] > got[1]


def test_what_was_seen_once_weighs_less_than_what_was_seen_often() -> None:
    once, often = skill_rarity(np.array([[1, 40], [0, 0]], dtype=np.float32))
    assert once < often


def test_ngrams_are_unit_vectors_and_see_the_topic_through_the_list() -> None:
    features = NgramFeatures.fit(TEXTS)
    picnic, other = features.vector("picnic: x y z"), features.vector("the harbour: x y z")
    trained = features.vector(TEXTS[0][1])
    assert np.linalg.norm(picnic) == pytest.approx(1.0)
    assert picnic @ trained > 2 * (other @ trained)


def test_ngrams_ignore_case_and_compatibility_forms() -> None:
    features = NgramFeatures.fit(TEXTS)
    assert features.vector("\uff30\uff29\uff23\uff2e\uff29\uff23 list") == pytest.approx(
        features.vector("picnic LIST")
    )


def test_ngrams_are_the_same_in_every_process() -> None:
    vector = NgramFeatures.fit([["abc"]], num_buckets=64).vector("hello")
    assert np.flatnonzero(vector).tolist() == [4, 11, 21, 37, 43, 44, 54]


def test_of_a_long_text_both_ends_are_read() -> None:
    features = NgramFeatures.fit(TEXTS)
    filler = "lorem " * 2000
    assert features.vector(f"picnic {filler} harbour") == pytest.approx(
        features.vector(f"picnic {'lorem ' * 9000} harbour")
    )
    assert clip(f"start{filler}end").startswith("start")
    assert clip(f"start{filler}end").endswith("end")
    assert len(clip(filler)) <= MAX_CHARS + 1
    assert clip("short") == "short"


def test_a_text_without_words_has_no_direction() -> None:
    assert not NgramFeatures.fit(TEXTS).vector(" ?! ").any()


def test_the_embedding_puts_words_of_one_topic_together(make_base: Callable[..., Path]) -> None:
    features = EmbeddingFeatures.fit(TEXTS, base_dir=make_base())
    picnic, basket = features.vector("picnic"), features.vector("basket a c")  # basket is new
    assert picnic @ basket > 0.6
    assert picnic @ basket > picnic @ features.vector("ship a c") + 0.3


def test_only_the_asked_rows_of_the_embedding_are_copied(make_base: Callable[..., Path]) -> None:
    base = make_base()
    table = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    got = EmbeddingTable(base)
    assert (got.num_tokens, got.width) == table.shape
    assert (got.rows([3, 1, 3]) == table[[3, 1, 3]]).all()


@pytest.mark.parametrize("stored", ["F16", "BF16"])
def test_half_precision_tables_are_read_as_float32(tmp_path: Path, stored: str) -> None:
    values = np.array([[1.5, -2.0], [0.25, 3.0]], dtype=np.float32)  # exact in both
    path = tmp_path / "model.safetensors"
    if stored == "F16":
        save_file({"a": values, "wte.weight": values.astype(np.float16)}, path)
    else:
        torch = pytest.importorskip("torch")
        from safetensors.torch import save_file as save_torch

        save_torch({"wte.weight": torch.tensor(values).bfloat16()}, path)
    got = EmbeddingTable(tmp_path).rows([1, 0])
    assert got.dtype == np.float32
    assert (got == values[[1, 0]]).all()


def test_a_base_without_an_embedding_or_a_tokenizer_is_refused(tmp_path: Path) -> None:
    save_file({"other": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(RouterError, match="holds no input embedding"):
        EmbeddingTable(tmp_path).rows([0])
    with pytest.raises(RouterError, match="need a fast tokenizer"):
        EmbeddingFeatures.fit(TEXTS, base_dir=tmp_path)


def circle(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def test_k_means_finds_the_middles_of_clear_groups() -> None:
    points = circle(0, 10, 20, 100, 110, 120, 220, 230, 240)
    got = spherical_k_means(points, 3, rng=np.random.default_rng(0))
    found = sorted(np.degrees(np.arctan2(got[:, 1], got[:, 0])) % 360)
    assert found == pytest.approx([10, 110, 230], abs=0.01)


def test_k_means_of_few_points_is_the_points() -> None:
    points = circle(10, 10, 80)
    assert len(spherical_k_means(points, 5, rng=np.random.default_rng(0))) == 2


def test_the_order_of_requests_does_not_change_the_prototypes() -> None:
    points = circle(*range(0, 180, 7))
    there = spherical_k_means(points, 4, rng=np.random.default_rng(1))
    back = spherical_k_means(points[::-1], 4, rng=np.random.default_rng(1))
    assert there == pytest.approx(back)
