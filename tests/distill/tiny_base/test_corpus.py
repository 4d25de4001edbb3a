"""Pretraining rows: who sees what, what is learned, and that a resumed run sees the same rows."""

import itertools

import torch
from skillweave.distill.tiny_base.corpus import WARM_MIXTURE, Corpus, Mixture, Rows
from skillweave.distill.worlds.string_skills import SkillSpec, is_held_out
from skillweave.distill.worlds.string_skills.primitives import ALPHABET
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM

from ..reading import formats_in, operations_in

LENGTH = 256
TREE = Mixture(plain=0.0, chain=0.0)
CHAIN = Mixture(plain=0.0, chain=1.0)
PLAIN = Mixture(plain=1.0)


def batch(
    tokenizer: PreTrainedTokenizerBase, mixture: Mixture, *, step: int = 0, rows: int = 6
) -> Rows:
    return Corpus(tokenizer, length=LENGTH, seed=1).batch(step, rows, mixture)


def size_of(rows: Rows, row: int) -> int:
    """Tokens of a row before its padding."""
    return int((rows.ids_BT[row] != 0).sum())


def branches(rows: Rows, row: int) -> tuple[int, list[range]]:
    """Length of the prefix, and where each branch stands: a branch starts where positions drop."""
    positions = rows.positions_BT[row, : size_of(rows, row)].tolist()
    starts = [t for t in range(1, len(positions)) if positions[t] <= positions[t - 1]]
    assert starts, "a tree row of one branch: draw another"
    prefix = positions[starts[0]]
    edges = [prefix, *starts, len(positions)]
    return prefix, [range(a, b) for a, b in itertools.pairwise(edges)]


def learned_texts(tokenizer: PreTrainedTokenizerBase, rows: Rows, row: int) -> list[str]:
    """Each unbroken run of learned tokens as text."""
    runs: list[list[int]] = []
    before = False
    for target in rows.targets_BT[row].tolist():
        if target != -100:
            if not before:
                runs.append([])
            runs[-1].append(target)
        before = target != -100
    return [str(tokenizer.decode(run)) for run in runs]


def test_the_same_step_gives_the_same_rows_and_another_gives_others(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """So a resumed run sees what an unbroken one saw."""
    one, two = (batch(tokenizer, Mixture(), step=7) for _ in range(2))
    for name in ("ids_BT", "positions_BT", "mask_B1TT", "targets_BT"):
        assert torch.equal(getattr(one, name), getattr(two, name))
    assert not torch.equal(one.ids_BT, batch(tokenizer, Mixture(), step=8).ids_BT)
    assert torch.equal(one.ids_BT[:2], batch(tokenizer, Mixture(), step=7, rows=2).ids_BT)


def test_shapes_and_types(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer, WARM_MIXTURE, rows=3)
    assert rows.ids_BT.shape == rows.positions_BT.shape == rows.targets_BT.shape == (3, LENGTH)
    assert rows.mask_B1TT.shape == (3, 1, LENGTH, LENGTH)
    assert torch.isfinite(rows.mask_B1TT).all()


def test_a_tree_row_shows_each_request_the_text_and_itself_only(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rows = batch(tokenizer, TREE)
    for row in range(6):
        seen = rows.mask_B1TT[row, 0] == 0
        prefix, parts = branches(rows, row)
        assert len(parts) >= 2
        for part in parts:
            for t in part:
                visible = set(seen[t].nonzero()[:, 0].tolist())
                assert visible == {*range(prefix), *range(part.start, t + 1)}
        for t in range(prefix):
            assert set(seen[t].nonzero()[:, 0].tolist()) == {*range(t + 1)}


def test_a_packed_branch_computes_what_the_conversation_alone_does(
    tokenizer: PreTrainedTokenizerBase, small_model: Qwen3ForCausalLM
) -> None:
    """The base is trained on exactly the single-turn prompts that it is used with."""
    rows = batch(tokenizer, TREE, rows=1)
    prefix, parts = branches(rows, 0)
    ids = rows.ids_BT[0]
    with torch.no_grad():
        packed = small_model(
            input_ids=rows.ids_BT,
            attention_mask=rows.mask_B1TT,
            position_ids=rows.positions_BT,
        ).logits[0]
        for part in parts:
            alone = torch.cat([ids[:prefix], ids[part.start : part.stop]])
            logits = small_model(input_ids=alone[None]).logits[0]
            torch.testing.assert_close(
                packed[part.start : part.stop], logits[prefix:], atol=1e-5, rtol=1e-4
            )
            text = str(tokenizer.decode(alone))
            assert text.startswith("<|im_start|>system\n")
            assert text.count("<|im_start|>user\n") == 1


def test_a_chain_row_is_one_conversation(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer, CHAIN)
    for row in range(6):
        size = size_of(rows, row)
        assert rows.positions_BT[row, :size].tolist() == list(range(size))
        seen = rows.mask_B1TT[row, 0, :size, :size] == 0
        assert torch.equal(seen, torch.ones(size, size, dtype=torch.bool).tril())


def test_only_answers_are_learned_with_their_end_and_every_one_of_them(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    for mixture in (TREE, CHAIN, PLAIN):
        rows = batch(tokenizer, mixture)
        for row in range(6):
            text = str(tokenizer.decode(rows.ids_BT[row, : size_of(rows, row)]))
            answers = learned_texts(tokenizer, rows, row)
            assert len(answers) == text.count("<|im_start|>assistant\n") > 0
            for answer in answers:
                assert answer.startswith("1: ")
                assert answer.count("\nfinal: ") == 1
                assert answer.endswith("<|im_end|>")
                assert f"<|im_start|>assistant\n{answer}\n" in text


def test_a_target_is_the_token_that_follows(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer, Mixture())
    learned = rows.targets_BT[:, :-1] != -100
    assert torch.equal(rows.targets_BT[:, :-1][learned], rows.ids_BT[:, 1:][learned])
    assert (rows.targets_BT[:, -1] == -100).all()


def test_plain_rows_have_no_system_message_and_answer_in_plain_form(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rows = batch(tokenizer, PLAIN)
    for row in range(6):
        text = str(tokenizer.decode(rows.ids_BT[row]))
        assert "system" not in text
        for answer in learned_texts(tokenizer, rows, row):
            final = answer.split("final: ")[1].removesuffix("<|im_end|>")
            assert set(final.split()) <= set(ALPHABET)


def test_no_row_tells_a_held_out_skill(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer, Mixture(plain=0.0), rows=60)
    for row in range(60):
        text = str(tokenizer.decode(rows.ids_BT[row]))
        body = text.removeprefix("<|im_start|>system\n").split("<|im_end|>")[0]
        (form,) = formats_in(body)
        assert not is_held_out(SkillSpec(operations_in(body), form, "picnic")), body


def test_the_mixture_sets_how_long_procedures_are(tokenizer: PreTrainedTokenizerBase) -> None:
    for index, steps in enumerate(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))):
        rows = batch(tokenizer, Mixture(steps=steps, plain=0.0))
        answers = [a for row in range(6) for a in learned_texts(tokenizer, rows, row)]
        assert {answer.count("\n") for answer in answers} == {index + 1}
