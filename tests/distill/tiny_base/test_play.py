"""How a local model is asked: answers in order, and episodes side by side."""

import torch
from skillweave.distill.tiny_base.gate_cases import WORLDS, world_cases
from skillweave.distill.tiny_base.play import Episode, greedy_answers, play_greedily
from skillweave.distill.worlds.string_skills import plain_tasks
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def loud(model: PreTrainedModel) -> PreTrainedModel:
    """The first weights of a model are too small to tell requests apart."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_()
    return model


def test_answers_come_in_order_and_do_not_depend_on_the_batch(
    small_base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    chats = [
        [{"role": "user", "content": text}]
        for text in ("b", "b c d f g h j k l m", "for the picnic: b c", "c")
    ]
    model = loud(small_base)
    alone = [greedy_answers(model, tokenizer, [chat], max_new_tokens=6)[0] for chat in chats]
    assert len(set(alone)) > 1
    for batch in (2, 4):
        assert alone == greedy_answers(model, tokenizer, chats, batch=batch, max_new_tokens=6)


def test_the_system_message_stands_before_what_the_task_shows() -> None:
    (task,) = plain_tasks(1, seed=0)
    assert Episode(None, task).opening == list(task.messages)
    told = Episode("be exact", task).opening
    assert told == [{"role": "system", "content": "be exact"}, *task.messages]


def test_episodes_of_several_turns_come_to_an_end(
    small_base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    cases = world_cases(WORLDS["household"], 1, 2, seed=0)
    verdicts = play_greedily(loud(small_base), tokenizer, cases, max_turns=2, max_new_tokens=8)
    assert [verdict.passed for verdict in verdicts] == [False, False]
