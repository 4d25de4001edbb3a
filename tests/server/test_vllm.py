"""Real vLLM behind the real gateway, on a tiny random base with random PEFT adapters.

One engine for the whole module. The reference is PEFT in this process, in float32.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI
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
        base=str(base),
        store=store.root,
        skills=home / "skills",
        port=0,
        threads=1,
        max_lora_rank=16,
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


def summed_logprobs(
    scene: Scene, weights: dict[str, float], prompt: list[int], answer: list[int]
) -> torch.Tensor:
    """(T,) as `peft_logprobs`, of the base with a weighted sum of adapters merged in, by PEFT."""
    model: Any = Qwen3ForCausalLM.from_pretrained(scene.base, dtype=torch.float32)
    for ref, weight in weights.items():
        model = PeftModel.from_pretrained(model, scene.folders[ref])
        for module in model.modules():
            if isinstance(getattr(module, "scaling", None), dict):  # attention has a number
                module.scaling["default"] *= weight
        model = model.merge_and_unload()
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


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("alpha@1*0.7+beta*-0.3:exact", {"alpha@1": 0.7, "beta@1": -0.3}),
        ("alpha@2*0.5", {"alpha@2": 0.5}),
    ],
)
def test_a_sum_is_what_peft_merges(scene: Scene, model: str, weights: dict[str, float]) -> None:
    prompt = LONG_PROMPT[:40]
    choice = complete(scene, model, prompt)
    served = torch.tensor(choice.logprobs.token_logprobs)
    merged = summed_logprobs(scene, weights, prompt, choice.token_ids)
    assert (served - merged).abs().max() < 1e-3
    plain = peft_logprobs(scene, next(iter(weights)), prompt, choice.token_ids)
    assert (served - plain).abs().mean() > 0.05


def test_a_sum_that_does_not_fit(scene: Scene) -> None:
    model = "alpha@1+alpha@2+beta"  # rank 20 above 16
    raw = scene.client.completions.with_raw_response.create(model=model, prompt="a", max_tokens=1)
    assert 0 < float(raw.headers["x-skillweave-error"]) < 1
    with pytest.raises(ConflictError, match="--max-lora-rank 32"):
        scene.client.completions.create(model=f"{model}:exact", prompt="a", max_tokens=1)


@pytest.mark.parametrize("model", ["base", "alpha", "alpha@1*0.5", "echo"])
def test_every_route_and_its_stream(scene: Scene, model: str) -> None:
    client, user = scene.client, {"role": "user", "content": "hi"}
    ask: Any = {"model": model, "temperature": 0}
    whole = client.chat.completions.create(messages=[user], max_tokens=6, logprobs=True, **ask)
    stream = client.chat.completions.create(
        messages=[user], max_tokens=6, stream=True, stream_options={"include_usage": True}, **ask
    )
    *chunks, last = stream
    assert whole.model == last.model == model
    assert (
        "".join(c.choices[0].delta.content or "" for c in chunks)
        == whole.choices[0].message.content
    )
    assert last.usage == whole.usage
    plain = client.chat.completions.create(messages=[user], max_tokens=6, stream=True, **ask)
    assert all(chunk.choices and chunk.usage is None for chunk in plain)
    answer = client.responses.create(input="hi", max_output_tokens=6, **ask)
    events: Any = [*client.responses.create(input="hi", max_output_tokens=6, stream=True, **ask)]
    assert answer.model == events[0].response.model == events[-1].response.model == model
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == answer.output_text
    form: Any = {"type": "json_schema", "json_schema": {"name": "b", "schema": {"type": "boolean"}}}
    strict = client.chat.completions.create(
        messages=[user], max_tokens=6, response_format=form, **ask
    )
    assert json.loads(str(strict.choices[0].message.content)) in (True, False)
    ids = httpx.post(
        f"{scene.running.root}/tokenize", json={"model": model, "messages": [user]}, timeout=60
    )
    assert ids.json()["count"] == whole.usage.prompt_tokens


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


def test_many_long_prompts_with_a_seed_each(scene: Scene) -> None:
    """Together they are longer than one batch: a prompt in two parts would kill the engine."""

    def ask(seed: int) -> str:
        prompt = [3 + (seed * 7 + place) % 40 for place in range(200)]
        reply = scene.client.completions.create(
            model="base", prompt=prompt, max_tokens=4, temperature=1.0, seed=seed
        )
        return reply.choices[0].text

    with ThreadPoolExecutor(48) as pool:
        crowd = list(pool.map(ask, range(48)))
    assert len(crowd) == 48
    assert scene.client.models.list().data


def test_steps_of_a_run(scene: Scene) -> None:
    """Published from bytes, each answers as PEFT does, and leaves with the window."""

    def publish(ref: str, step: int) -> None:
        folder = scene.folders[ref]
        names = ("adapter_config.json", "adapter_model.safetensors")
        reply = httpx.post(
            f"{scene.running.root}/admin/publish",
            files={name: (name, (folder / name).read_bytes()) for name in names},
            data={"run": "rl", "step": str(step), "staleness": "0"},
            headers={"x-skillweave-admin-key": scene.running.admin_key},
            timeout=60,
        )
        assert reply.status_code == 200, reply.text

    refs = ["alpha@1", "alpha@2", "beta@1"]
    for step, ref in enumerate(refs, start=1):
        publish(ref, step)
        assert complete(scene, "rl", LONG_PROMPT).token_ids == (
            complete(scene, ref, LONG_PROMPT).token_ids
        )
    choice = complete(scene, "rl@2", LONG_PROMPT)
    served = torch.tensor(choice.logprobs.token_logprobs)
    own = peft_logprobs(scene, "alpha@2", LONG_PROMPT, choice.token_ids)
    assert (served - own).abs().max() < 1e-4
    with pytest.raises(NotFoundError):
        complete(scene, "rl@1", LONG_PROMPT)
    kept = [run["steps"] for run in state(scene)["runs"]]
    assert [[each["step"] for each in steps] for steps in kept] == [[2, 3]]
    assert admin(scene, "end", {"run": "rl"}).json()["ended"] == 2
    deadline = time.monotonic() + 30
    while [each for each in state(scene)["loaded"] if each["ref"].startswith("rl@")]:
        assert time.monotonic() < deadline, "the steps of a run that ended are still loaded"
        time.sleep(0.05)


def state(scene: Scene) -> dict[str, Any]:
    headers = {"x-skillweave-admin-key": scene.running.admin_key}
    found: dict[str, Any] = httpx.get(f"{scene.running.root}/admin/state", headers=headers).json()
    return found
