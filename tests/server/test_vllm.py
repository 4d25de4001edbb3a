"""Real vLLM behind the real gateway, on a tiny random base with random PEFT adapters.

One engine for the whole module. The reference is PEFT in this process, in float32.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from openai import BadRequestError, NotFoundError, OpenAI
from peft import LoraConfig, PeftModel, get_peft_model
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import Card
from skillweave.adapters.store.store import Store
from skillweave.server.config import ServeConfig
from skillweave.server.running import Running, serve_in_background
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import Qwen3Config, Qwen3ForCausalLM

pytestmark = pytest.mark.vllm

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LENGTH = 512
LONG_PROMPT = [(7 * place) % 256 for place in range(300)]
"""Longer than two blocks of vLLM's CPU cache (128 tokens each), so that the prefix cache acts."""


def make_tokenizer(folder: Path) -> None:
    """One token per byte, three control tokens, a ChatML template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": LENGTH,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def make_base(folder: Path) -> Path:
    """A random two-layer Qwen3; the wide initialisation makes its answers differ."""
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=264,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,  # vLLM's CPU attention knows no smaller one
        max_position_embeddings=LENGTH,
        tie_word_embeddings=True,
        initializer_range=0.2,
        eos_token_id=258,
        pad_token_id=256,
        bos_token_id=None,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    make_tokenizer(folder)
    return folder


def make_adapter(base: Path, folder: Path, *, seed: int, rank: int) -> Path:
    """A random adapter on every linear module, saved by peft."""
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM.from_pretrained(base, dtype=torch.float32)
    targets = "q_proj k_proj v_proj o_proj gate_proj up_proj down_proj".split()
    peft = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets))
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    peft.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Scene:
    """The server and what it was made of. `folders` maps a ref to its PEFT folder."""

    running: Running
    base: Path
    folders: dict[str, Path]
    client: OpenAI


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("vllm")
    base = make_base(home / "model")
    identity = identify_base(base, cache_dir=home / "hashes")
    store = Store(home / "store")
    card = Card(kind="skill", base=identity.for_card())
    folders = {}
    for name, seed, rank in (("alpha", 1, 8), ("alpha", 2, 4), ("beta", 3, 8)):
        folder = make_adapter(base, home / f"{name}-{seed}", seed=seed, rank=rank)
        folders[store.put(folder, card=card, name=name, base=identity).ref] = folder
    skills = home / "skills" / "echo"
    skills.mkdir(parents=True)
    (skills / "SKILL.md").write_text("---\nname: echo\ndescription: Says it again.\n---\nEcho.\n")
    config = ServeConfig(
        base=str(base), store=store.root, skills=home / "skills", port=0, threads=1
    )
    with (
        serve_in_background(config) as running,
        OpenAI(base_url=running.url, api_key="none", max_retries=0) as client,
    ):
        yield Scene(running, base, folders, client)


def complete(scene: Scene, model: str, prompt: list[int], *, num: int = 24) -> Any:
    """Greedy completion with ids and log-probabilities."""
    reply = scene.client.completions.create(
        model=model,
        prompt=prompt,
        max_tokens=num,
        temperature=0,
        logprobs=0,
        extra_body={"return_token_ids": True, "ignore_eos": True},
    )
    assert reply.model == model
    return reply.choices[0]


def peft_logprobs(scene: Scene, ref: str, prompt: list[int], answer: list[int]) -> torch.Tensor:
    """(T,) float32 log-probabilities of `answer` after `prompt`, by PEFT."""
    model: Any = Qwen3ForCausalLM.from_pretrained(scene.base, dtype=torch.float32)
    if ref != "base":
        model = PeftModel.from_pretrained(model, scene.folders[ref])
    ids = torch.tensor([prompt + answer])
    with torch.no_grad():
        logp = model.eval()(input_ids=ids).logits[0].log_softmax(-1)
    places = torch.arange(len(prompt) - 1, len(prompt) + len(answer) - 1)
    return logp[places, torch.tensor(answer)]


def admin(scene: Scene, path: str, body: dict[str, object]) -> httpx.Response:
    headers = {"x-skillweave-admin-key": scene.running.admin_key}
    url = f"{scene.running.root}/admin/{path}"
    return httpx.post(url, json=body, headers=headers, timeout=60)


@pytest.mark.parametrize("ref", ["base", "alpha@1", "alpha@2", "beta@1"])
@pytest.mark.parametrize("prompt", [LONG_PROMPT[:9], LONG_PROMPT], ids=["short", "cached"])
def test_logprobs_agree_with_peft(scene: Scene, ref: str, prompt: list[int]) -> None:
    choice = complete(scene, ref, prompt)
    served = torch.tensor(choice.logprobs.token_logprobs)
    own = peft_logprobs(scene, ref, prompt, choice.token_ids)
    assert (served - own).abs().max() < 1e-4
    for other in {"base", *scene.folders} - {ref}:
        wrong = peft_logprobs(scene, other, prompt, choice.token_ids)
        assert (served - wrong).abs().mean() > 0.1


def test_names_versions_and_forms(scene: Scene) -> None:
    listed = {model.id: model for model in scene.client.models.list()}
    assert list(listed) == ["base", "alpha", "beta", "echo"]
    ids = {ref: complete(scene, ref, LONG_PROMPT[:20]).token_ids for ref in ("alpha@1", "alpha@2")}
    assert ids["alpha@1"] != ids["alpha@2"]
    assert complete(scene, "alpha@default", LONG_PROMPT[:20]).token_ids == ids["alpha@1"]
    assert complete(scene, "alpha@latest", LONG_PROMPT[:20]).token_ids == ids["alpha@2"]


def test_text_form_is_the_base_with_the_text(scene: Scene) -> None:
    def ask(model: str, *messages: dict[str, str]) -> Any:
        body: Any = {"model": model, "messages": list(messages), "max_tokens": 8, "temperature": 0}
        return scene.client.chat.completions.create(**body)

    user = {"role": "user", "content": "hi"}
    by_name = ask("echo", user)
    by_hand = ask("base", {"role": "system", "content": "Echo."}, user)
    assert by_name.choices[0].message.content == by_hand.choices[0].message.content
    assert by_name.usage.prompt_tokens == by_hand.usage.prompt_tokens


def test_a_publish_during_a_stream(scene: Scene) -> None:
    body: Any = {
        "prompt": LONG_PROMPT[:20],
        "max_tokens": 200,
        "temperature": 0,
        "extra_body": {"return_token_ids": True, "ignore_eos": True},
    }
    create = scene.client.completions.create
    expected = create(model="alpha@1", **body).choices[0].token_ids  # type: ignore[attr-defined]
    stream = create(model="alpha", stream=True, **body)
    ids: list[int] = []
    published = False
    for chunk in stream:
        assert chunk.model == "alpha"
        ids += chunk.choices[0].token_ids or []
        if len(ids) > 5 and not published:
            reply = admin(scene, "alias", {"name": "alpha", "alias": "default", "version": 2})
            assert reply.status_code == 200, reply.text
            published = True
            after = complete(scene, "alpha", LONG_PROMPT[:20]).token_ids
            assert after == complete(scene, "alpha@2", LONG_PROMPT[:20]).token_ids
            assert len(ids) < 200
    assert ids == expected
    assert admin(scene, "rollback", {"name": "alpha"}).json()["ref"] == "alpha@1"
    assert complete(scene, "alpha", LONG_PROMPT[:20]).token_ids == expected[:24]


def test_bad_requests(scene: Scene) -> None:
    def ask(model: str, text: str) -> Any:
        return scene.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=4
        )

    with pytest.raises(NotFoundError, match="does not exist or you do not have access"):
        ask("nope", "hi")
    with pytest.raises(BadRequestError, match=f"maximum context length is {LENGTH}"):
        ask("alpha", "x" * (LENGTH + 1))
    with pytest.raises(BadRequestError, match="messages is empty"):
        scene.client.chat.completions.create(model="base", messages=[])
    twice = b'{"model":"base","model":"alpha","prompt":"hi"}'
    kind = {"content-type": "application/json"}
    reply = httpx.post(f"{scene.running.url}/completions", content=twice, headers=kind)
    assert reply.status_code == 400
    assert "duplicate key" in reply.json()["error"]["message"]


def test_logprobs_pass_through(scene: Scene) -> None:
    body = {
        "model": "beta",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 6,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 2,
    }
    reply = httpx.post(f"{scene.running.url}/chat/completions", json=body, timeout=60)
    answer = reply.json()
    assert answer["model"] == "beta"
    assert "beta--v1--" not in reply.text
    assert len(answer["choices"][0]["logprobs"]["content"]) == 6
    assert answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
