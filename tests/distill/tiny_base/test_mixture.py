"""The table of what the base is pretrained on."""

import random

import pytest
from skillweave.distill.tiny_base.corpus import Corpus, Part
from skillweave.distill.tiny_base.mixture import MIXTURE, PARTS, WARM_MIXTURE
from skillweave.distill.tiny_base.pretrain import PretrainConfig
from transformers import PreTrainedTokenizerBase

LENGTH = PretrainConfig.length


def test_shares_are_whole_and_names_single() -> None:
    assert sum(MIXTURE.values()) == pytest.approx(1.0)
    assert sum(WARM_MIXTURE.values()) == pytest.approx(1.0)
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert all(part.share or part.warm for part in PARTS)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_source_fits_its_rows_and_is_a_function_of_the_generator(
    part: Part, tokenizer: PreTrainedTokenizerBase
) -> None:
    corpus = Corpus(tokenizer, PARTS, length=LENGTH, seed=0)
    rows = corpus.batch(0, 4, {part.name: 1.0})
    assert (rows.targets_BT != -100).sum() > 4 * 20
    assert (rows.ids_BT != 0).float().mean() > 0.55
    one, two = (part.source(rng) for rng in (random.Random(3), random.Random(3)))
    assert one.text == two.text
    assert one.draw(random.Random(4)) == two.draw(random.Random(4))
