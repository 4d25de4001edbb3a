"""A little world of three skills, and a base that is an embedding and a tokenizer."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from skillweave.router import DevState, Message, RoutedSkill, State
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

TOPICS = {
    "picnic": ("picnic", "basket", "meadow", "sandwich"),
    "harbour": ("harbour", "ship", "cargo", "crane"),
    "garden": ("garden", "flower", "soil", "tulip"),
}
LETTERS = "abcdefghijkl"
FRAMES = ("for the {w}: {x}", "here is my list for the {w}: {x}", "{w} list: {x}")
OUTSIDE = ("what time is it", "please tell me a joke", "how far is the moon", "spell my name")


def state(text: str) -> State:
    return State((Message("user", text),))


def request(topic: str, n: int) -> str:
    words = TOPICS[topic]
    items = " ".join(LETTERS[(n * k) % 12] for k in (1, 5, 7))
    return FRAMES[n % 3].format(w=words[n % 4], x=items)


@pytest.fixture
def skills() -> list[RoutedSkill]:
    return [
        RoutedSkill(
            name=f"{topic}-list",
            description=f"Use when a list is for the {topic} or the {TOPICS[topic][1]}.",
            requests=tuple(request(topic, n) for n in range(24)),
            form="adapter",
            digest=f"digest of {topic}",
        )
        for topic in TOPICS
    ]


@pytest.fixture
def dev() -> list[DevState]:
    inside = [DevState(state(request(t, n)), f"{t}-list") for t in TOPICS for n in range(24, 36)]
    return [*inside, *(DevState(state(text), None) for text in OUTSIDE)]


@pytest.fixture
def make_base(tmp_path: Path) -> Callable[..., Path]:
    """Writes a base whose embedding puts the words of a topic close together."""

    def make(name: str = "base", *, seed: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        words = sorted({w for ws in TOPICS.values() for w in ws} | set(LETTERS) | {"the", "list"})
        vocabulary = {"[UNK]": 0, **{word: n for n, word in enumerate(words, start=1)}}
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text("{}")
        (folder / "config.json").write_text(json.dumps({"architectures": ["Tiny"]}))
        rng = np.random.default_rng(seed)
        table = rng.normal(0, 0.05, (len(vocabulary), 8)).astype(np.float32)
        for axis, topic in enumerate(TOPICS):
            for word in TOPICS[topic]:
                table[vocabulary[word], axis] += 1.0
        save_file({"model.embed_tokens.weight": table}, folder / "model.safetensors")
        return folder

    return make
