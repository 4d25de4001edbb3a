"""Rows of tokens as tensors: padded one a line, or several a line with attention kept apart.

Owns both forms. Refuses to own which rows go together in a step. Shapes: `B` lines, `T` tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...adapters.errors import UsageError
from ..rendering import TokenRow


@dataclass(frozen=True)
class Packed:
    """Several conversations a line. `attention_B1TT` is True where a token may look: at itself and
    at what stands before it in its own conversation; positions start anew with each."""

    ids_BT: Tensor
    attention_B1TT: Tensor
    positions_BT: Tensor
    labels_BT: Tensor

    def inputs(self) -> dict[str, Tensor]:
        """What a model of transformers is called with."""
        return {
            "input_ids": self.ids_BT,
            "attention_mask": self.attention_B1TT,
            "position_ids": self.positions_BT,
        }


def pack(rows: Sequence[TokenRow], *, length: int, pad: int) -> Packed:
    """Put rows into as few lines of at most `length` tokens as first-fit of falling sizes finds.

    A conversation's first token is never a label: what stands before it is another's.

    Raises:
        UsageError: a row is longer than `length`, or there is none.
    """
    lines = _first_fit(rows, length)
    longest = max(sum(len(row.ids) for row in line) for line in lines)
    ids_BT = torch.full((len(lines), longest), pad, dtype=torch.long)
    labels_BT = torch.full((len(lines), longest), -100, dtype=torch.long)
    positions_BT = torch.zeros(len(lines), longest, dtype=torch.long)
    owner_BT = torch.arange(-1, -longest - 1, -1).repeat(len(lines), 1)  # padding sees itself only
    for index, line in enumerate(lines):
        at = 0
        for number, row in enumerate(line):
            span = slice(at, at + len(row.ids))
            ids = torch.tensor(row.ids)
            ids_BT[index, span], owner_BT[index, span] = ids, number
            positions_BT[index, span] = torch.arange(len(row.ids))
            labels_BT[index, span] = torch.where(torch.tensor(row.learn), ids, -100)
            labels_BT[index, at] = -100
            at = span.stop
    own = owner_BT[:, :, None] == owner_BT[:, None, :]
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    return Packed(ids_BT, (own & causal)[:, None], positions_BT, labels_BT)


def _first_fit(rows: Sequence[TokenRow], length: int) -> list[list[TokenRow]]:
    if not rows:
        raise UsageError("got 0 rows to pack, expected at least 1")
    longest = max(len(row.ids) for row in rows)
    if longest > length:
        raise UsageError(f"a row has {longest} tokens, expected at most {length}; pack wider")
    lines: list[tuple[int, list[TokenRow]]] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        size = len(row.ids)
        place = next((i for i, (used, _) in enumerate(lines) if used + size <= length), None)
        if place is None:
            lines.append((size, [row]))
        else:
            used, line = lines[place]
            lines[place] = (used + size, [*line, row])
    return [line for _, line in lines]


def collate(rows: Sequence[TokenRow], *, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pad rows on the right: ids, attention and labels (-100 where not learned), all (B, T)."""
    length = max(len(row.ids) for row in rows)
    ids_BT = torch.full((len(rows), length), pad, dtype=torch.long)
    attention_BT = torch.zeros(len(rows), length, dtype=torch.long)
    labels_BT = torch.full((len(rows), length), -100, dtype=torch.long)
    for index, row in enumerate(rows):
        size = len(row.ids)
        ids = torch.tensor(row.ids)
        ids_BT[index, :size] = ids
        attention_BT[index, :size] = 1
        labels_BT[index, :size] = torch.where(torch.tensor(row.learn), ids, -100)
    return ids_BT, attention_BT, labels_BT


def token_loss(
    model: nn.Module, rows: Sequence[TokenRow] | Packed, *, pad: int
) -> tuple[Tensor, int]:
    """Summed negative log-likelihood of the learned tokens, and how many they are.

    Args:
        rows: to be padded one a line, or packed already.
    """
    device = next(model.parameters()).device
    if isinstance(rows, Packed):
        inputs, labels_BT = rows.inputs(), rows.labels_BT
    else:
        ids_BT, attention_BT, labels_BT = collate(rows, pad=pad)
        inputs = {"input_ids": ids_BT, "attention_mask": attention_BT}
    logits = model(**{name: value.to(device) for name, value in inputs.items()}).logits[:, :-1]
    targets = labels_BT[:, 1:].to(device)
    learned = targets != -100
    wide = logits[learned]
    wide = wide if wide.dtype == torch.float64 else wide.float()
    loss = nn.functional.cross_entropy(wide, targets[learned], reduction="sum")
    return loss, int(learned.sum())
