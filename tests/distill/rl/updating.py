"""Groups of random answers, and the step of each method written plainly with PEFT and torch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.distill.learning.joint import AdapterSpec, JointLora
from skillweave.distill.rl.batch import Batch, batches_of
from skillweave.distill.rl.groups import Group, Rollout
from skillweave.distill.rl.objective import Objective
from skillweave.distill.rl.plain import Only, policy_only
from skillweave.distill.rl.settings import METHODS, MethodName
from skillweave.distill.rl.terms import RewardTerm
from skillweave.distill.rollouts.learnable import OFF_POLICY
from skillweave.distill.rollouts.trajectory import TokenSpan, Turn
from torch import Tensor
from transformers import PreTrainedModel

from .playing import trajectory

WORDS = 90
LENGTH = 7
"""Of the longest answer that is allowed."""
SPEC = AdapterSpec(name="one", rank=3, rate=0.05, clip=1e9, seed=1)
REWARDS = ((1.0, 0.0, 0.5), (0.25, 0.25, 0.25), (0.0, 0.0, 1.0))


def objective(method: MethodName, **said: object) -> Objective:
    return Objective(METHODS[method].model_copy(update=said), answer_tokens=LENGTH)


def groups(seed: int, rewards: Sequence[Sequence[float]] = REWARDS) -> list[Group]:
    """Answers of unlike length; the last of each group begins with two forced tokens."""
    rng = random.Random(seed)

    def ids(num: int) -> tuple[int, ...]:
        return tuple(rng.randrange(WORDS) for _ in range(num))

    def answer(task: int, reward: float, forced: bool) -> Rollout:
        spans = [TokenSpan("prompt", ids(rng.randrange(2, 5)))]
        if forced:
            spans.append(TokenSpan("demo_prefix", ids(2)))
        num = rng.randrange(1, 5)
        told = tuple(-rng.uniform(3, 15) for _ in range(num))  # on both sides of the trainer
        spans.append(TokenSpan("policy", ids(num), told))
        played = trajectory(Turn(text="", spans=tuple(spans)), reward=reward, task_id=f"t{task}")
        return Rollout.of(played, rule=OFF_POLICY)

    return [
        Group.of([answer(task, r, at == len(own) - 1) for at, r in enumerate(own)], step=0)
        for task, own in enumerate(rewards)
    ]


def batch_of(method: MethodName, found: Sequence[Group]) -> Batch:
    term = RewardTerm(METHODS[method].advantage)
    (batch,) = batches_of(found, [term], gate=policy_only, target=Only("one"), learners=["one"])
    return batch


def joint_on(base: PreTrainedModel, specs: Sequence[AdapterSpec] = (SPEC,)) -> JointLora:
    """Adapters whose up factors are not zero, so that every gradient is there from the start."""
    joint = JointLora(base, specs)
    for spec in specs:
        generator = torch.Generator().manual_seed(spec.seed)

        def loud(delta: Delta, generator: torch.Generator = generator) -> Delta:
            drawn = torch.randn(delta.up_OR.shape, generator=generator, dtype=delta.up_OR.dtype)
            return Delta(delta.down_RI, drawn * 0.2, delta.scale)

        joint.load(spec.name, {name: loud(one) for name, one in joint.delta(spec.name).items()})
    return joint


def weights(joint: JointLora, name: str = "one") -> dict[str, tuple[Tensor, Tensor]]:
    return {n: (d.down_RI.clone(), d.up_OR.clone()) for n, d in joint.delta(name).items()}


def gradients(joint: JointLora, at: int = 0) -> AdapterDelta:
    """Of the last update, as deltas: the vector of weights and that of gradients are alike."""
    param = joint.optimiser.param_groups[at]["params"][0]
    kept = param.detach().clone()
    param.detach().copy_(param.grad)
    name = joint.specs[at].name
    found = {n: Delta(*pair, 1.0) for n, pair in weights(joint, name).items()}
    param.detach().copy_(kept)
    return found


@dataclass
class PlainRun:
    """The same adapter under PEFT, its batch padded as a whole, prompts and all."""

    base: PreTrainedModel
    folder: Path
    batch: Batch

    def __post_init__(self) -> None:
        self.model = PeftModel.from_pretrained(self.base, str(self.folder), is_trainable=True)
        params = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(params, lr=SPEC.rate, weight_decay=0.0)
        rows = self.batch.rows
        longest = max(len(row.tokens.ids) for row in rows)

        def padded(values: Sequence[Sequence[float]], dtype: torch.dtype) -> Tensor:
            return torch.tensor([[*v, *[0] * (longest - len(v))] for v in values], dtype=dtype)

        wide = torch.float64
        self.ids = padded([row.tokens.ids for row in rows], torch.long)
        self.attention = padded([[1] * len(row.tokens.ids) for row in rows], torch.long)
        self.mask = padded([row.tokens.learn for row in rows], wide)
        self.sampler = padded([row.sampler_logp for row in rows], wide)
        self.advantages = padded([row.advantages for row in rows], wide)
        with torch.no_grad(), self.model.disable_adapter():
            self.reference = self.logp()
        with torch.no_grad():
            self.old = self.logp()

    def logp(self) -> Tensor:
        logits = self.model(input_ids=self.ids, attention_mask=self.attention).logits
        found = logits[:, :-1].log_softmax(-1).gather(2, self.ids[:, 1:, None])[..., 0]
        return torch.cat([torch.zeros_like(found[:, :1]), found], 1)

    def step(self, method: MethodName) -> tuple[float, AdapterDelta]:
        """Loss and gradients of one step on the batch, compared with `old`."""
        self.optimiser.zero_grad()
        loss = plain_loss(method, self, self.logp())
        loss.backward()
        found = self._gradients()
        self.optimiser.step()
        return float(loss.detach()), found

    def _gradients(self) -> AdapterDelta:
        pairs: dict[str, dict[str, Tensor]] = {}
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                module, _, which = name.removesuffix(".default.weight").rpartition(".lora_")
                assert param.grad is not None
                pairs.setdefault(module.removeprefix("base_model.model."), {})[which] = param.grad
        return {name: Delta(one["A"].clone(), one["B"].clone(), 1.0) for name, one in pairs.items()}


def plain_loss(method: MethodName, run: PlainRun, logp: Tensor) -> Tensor:
    """Each method's loss as its paper writes it, on all positions, masked at the end."""
    mask, advantage = run.mask, run.advantages
    ratio = torch.exp(logp - run.old)
    weight = torch.exp(run.old - run.sampler).clamp(max=2.0)
    weight = torch.where(run.sampler.isnan(), torch.ones_like(weight), weight)
    apart = torch.exp(run.reference - logp) - 1 - (run.reference - logp)
    rows = mask.shape[0]
    if method == "grpo":
        gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage) * weight
        each = ((0.04 * apart - gain) * mask).sum(1) / mask.sum(1)
        return each.sum() / rows
    if method == "dapo":
        gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.28) * advantage) * weight
        return -(gain * mask).sum() / mask.sum()
    if method == "dr_grpo":
        gain = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage) * weight
        return -(gain * mask).sum() / (rows * LENGTH)
    gain = ratio * advantage * weight
    return ((0.03 * apart - gain) * mask).sum() / (rows * LENGTH)
