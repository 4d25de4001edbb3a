"""Pretraining rows: who sees what, what is learned, and that a resumed run sees the same rows."""

import itertools
import random
from collections.abc import Sequence

import pytest
import torch
from skillweave.distill.tiny_base.corpus import Corpus, Part, Rows
from skillweave.distill.worlds.string_skills import teaching
from skillweave.distill.worlds.types import Message
from skillweave.distill.worlds.world import Teaching, TeachingSource
from transformers import PreTrainedTokenizerBase, Qwen3ForCausalLM

LENGTH = 256
LETTERS = tuple("bcdfghjklmnpqrst")


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def talking(*turns: int, text: str | None = None) -> TeachingSource:
    """A conversation with answers of so many letters each; every request is one letter."""

    def draw(rng: random.Random) -> tuple[Message, ...]:
        out = []
        for size in turns:
            out += [user(rng.choice(LETTERS)), assistant(" ".join(rng.choices(LETTERS, k=size)))]
        return tuple(out)

    return lambda rng: Teaching(text, draw)


def always(text: str | None, talk: tuple[Message, ...]) -> TeachingSource:
    """The same conversation, however often it is drawn."""
    return lambda _: Teaching(text, lambda _: talk)


PARTS = (
    Part("follower", teaching.follower, 1.0),
    Part("solver", teaching.solver, 1.0),
    Part("author", teaching.author, 1.0),
)


def batch(
    tokenizer: PreTrainedTokenizerBase, *names: str, step: int = 0, rows: int = 6, seed: int = 1
) -> Rows:
    shares = dict.fromkeys(names or ("follower", "solver", "author"), 1.0)
    return Corpus(tokenizer, PARTS, length=LENGTH, seed=seed).batch(step, rows, shares)


def one_row(
    tokenizer: PreTrainedTokenizerBase, source: TeachingSource, *, length: int = LENGTH
) -> Rows:
    corpus = Corpus(tokenizer, [Part("it", source, 1.0)], length=length, seed=0)
    return corpus.batch(0, 1, {"it": 1.0})


def size_of(rows: Rows, row: int = 0) -> int:
    """Tokens of a row before its padding."""
    return int((rows.ids_BT[row] != 0).sum())


def pieces(rows: Rows, row: int = 0) -> list[range]:
    """Where positions go up by one without a break."""
    positions = rows.positions_BT[row, : size_of(rows, row)].tolist()
    breaks = [t for t in range(1, len(positions)) if positions[t] != positions[t - 1] + 1]
    return [range(a, b) for a, b in itertools.pairwise([0, *breaks, len(positions)])]


def seen_by(rows: Rows, row: int, token: int) -> set[int]:
    """The tokens that a token looks at."""
    return set((rows.mask_B1TT[row, 0, token] == 0).nonzero()[:, 0].tolist())


def learned_texts(tokenizer: PreTrainedTokenizerBase, rows: Rows, row: int = 0) -> list[str]:
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


def text_of(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(ids))


def test_the_same_step_gives_the_same_rows_and_another_gives_others(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """So a resumed run sees what an unbroken one saw."""
    one, two = (batch(tokenizer, step=7) for _ in range(2))
    for name in ("ids_BT", "positions_BT", "mask_B1TT", "targets_BT"):
        assert torch.equal(getattr(one, name), getattr(two, name))
    assert not torch.equal(one.ids_BT, batch(tokenizer, step=8).ids_BT)
    assert not torch.equal(one.ids_BT, batch(tokenizer, step=7, seed=2).ids_BT)
    assert torch.equal(one.ids_BT[:2], batch(tokenizer, step=7, rows=2).ids_BT)


def test_shapes_and_types(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer, rows=3)
    assert rows.ids_BT.shape == rows.positions_BT.shape == rows.targets_BT.shape == (3, LENGTH)
    assert rows.mask_B1TT.shape == (3, 1, LENGTH, LENGTH)
    assert rows.mask_B1TT.dtype == torch.bfloat16
    assert torch.isfinite(rows.mask_B1TT).all()


def test_a_conversation_sees_the_text_and_itself_only(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = one_row(tokenizer, talking(6, text="b c d"))
    first, *others = pieces(rows)
    prefix = len(tokenizer.encode("<|im_start|>system\nb c d<|im_end|>\n"))
    branches = [range(prefix, first.stop), *others]
    assert len(branches) == (LENGTH - prefix) // len(branches[0])
    for branch in branches:
        assert rows.positions_BT[0, branch.start] == prefix
        for t in branch:
            assert seen_by(rows, 0, t) == {*range(prefix), *range(branch.start, t + 1)}
    for t in range(prefix):
        assert seen_by(rows, 0, t) == {*range(t + 1)}


def test_a_packed_conversation_computes_what_it_does_alone(
    tokenizer: PreTrainedTokenizerBase, small_model: Qwen3ForCausalLM
) -> None:
    """The base is trained on exactly the prompts that it is used with, second texts included."""
    rows = one_row(tokenizer, talking(20, 30, text="b c d f"))
    prefix = len(tokenizer.encode("<|im_start|>system\nb c d f<|im_end|>\n"))
    with torch.no_grad():
        packed = small_model(
            input_ids=rows.ids_BT,
            attention_mask=rows.mask_B1TT.float(),
            position_ids=rows.positions_BT,
        ).logits[0]
        first, *others = pieces(rows)
        assert others
        for part in (range(prefix, first.stop), *others):
            ids = rows.ids_BT[0]
            alone = torch.cat([ids[:prefix], ids[part.start : part.stop]])
            logits = small_model(input_ids=alone[None]).logits[0]
            torch.testing.assert_close(
                packed[part.start : part.stop], logits[prefix:], atol=1e-5, rtol=1e-4
            )


def test_a_row_is_filled_with_a_second_text_that_sees_nothing_of_the_first(
    tokenizer: PreTrainedTokenizerBase,
) -> None:

    def one_short_answer(rng: random.Random) -> Teaching:
        sizes = iter((60, 200))
        return Teaching("b c d", lambda rng: talking(next(sizes))(rng).draw(rng))

    rows = one_row(tokenizer, one_short_answer)
    first, second, *_ = pieces(rows)
    assert rows.positions_BT[0, second.start] == 0
    assert text_of(tokenizer, rows.ids_BT[0, list(second)].tolist()).startswith(
        "<|im_start|>system\nb c d"
    )
    assert len(first) == len(second)
    for t in second:
        assert seen_by(rows, 0, t) == {*range(second.start, t + 1)}


def test_a_source_without_a_text_stands_in_branches_of_its_own(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rows = one_row(tokenizer, talking(4))
    for part in pieces(rows):
        assert rows.positions_BT[0, part.start] == 0
        assert min(seen_by(rows, 0, part.stop - 1)) == part.start
    assert "system" not in text_of(tokenizer, rows.ids_BT[0].tolist())


def test_every_assistant_turn_is_learned_with_its_end_and_nothing_else(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rows = one_row(tokenizer, talking(2, 3, 4, text="b"))
    answers = learned_texts(tokenizer, rows)
    assert [answer.count(" ") + 1 for answer in answers[:3]] == [2, 3, 4]
    assert all(answer.endswith("<|im_end|>") for answer in answers)
    text = text_of(tokenizer, rows.ids_BT[0].tolist())
    assert len(answers) == text.count("<|im_start|>assistant\n")
    for answer in answers:
        assert f"<|im_start|>assistant\n{answer}\n" in text


def test_a_conversation_reads_as_the_chat_template_writes_it(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Encoded turn by turn, it has the tokens of the whole."""
    rng = random.Random(3)
    for part in PARTS:
        told = part.source(rng)
        for _ in range(10):
            talk = told.draw(rng)
            system = [] if told.text is None else [{"role": "system", "content": told.text}]
            whole = tokenizer.apply_chat_template(
                [dict(message) for message in (*system, *talk)], tokenize=True, return_dict=False
            )
            rows = one_row(tokenizer, always(told.text, talk), length=600)
            assert rows.ids_BT[0, : len(whole)].tolist() == whole


def test_a_target_is_the_token_that_follows(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = batch(tokenizer)
    learned = rows.targets_BT[:, :-1] != -100
    assert torch.equal(rows.targets_BT[:, :-1][learned], rows.ids_BT[:, 1:][learned])
    assert (rows.targets_BT[:, -1] == -100).all()


def test_an_episode_longer_than_a_row_is_cut_behind_an_answer(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rows = one_row(tokenizer, talking(*[30] * 10), length=128)
    answers = learned_texts(tokenizer, rows)
    assert len(answers) == 3
    assert size_of(rows) <= 128
    assert text_of(tokenizer, rows.ids_BT[0, : size_of(rows)].tolist()).endswith("<|im_end|>\n")


def test_a_source_whose_answers_never_fit_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(ValueError, match="100 texts of it in a row did not fit a row of 128"):
        one_row(tokenizer, talking(300), length=128)


def test_shares_set_what_is_drawn(tokenizer: PreTrainedTokenizerBase) -> None:
    parts = [Part(name, talking(40, text=name), 1.0) for name in ("b", "c", "d")]
    corpus = Corpus(tokenizer, parts, length=64, seed=0)
    rows = corpus.batch(0, 1000, {"b": 3.0, "c": 1.0})
    texts = [text_of(tokenizer, row[:4].tolist()) for row in rows.ids_BT]
    assert {text.split("\n")[1] for text in texts} == {"b", "c"}
    assert 0.70 < sum("\nb" in text for text in texts) / 1000 < 0.80


def test_a_share_of_an_unknown_part_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    corpus = Corpus(tokenizer, PARTS, length=LENGTH, seed=0)
    with pytest.raises(ValueError, match="names moon, expected parts among author, follower"):
        corpus.batch(0, 1, {"moon": 1.0, "solver": 1.0})
