"""lm-eval with its OpenAI-completions backend: the same scores through the gateway as without it.

A part of the exam `serve`. Criterion, before the run: on a task of our own with questions that are
scored by log-likelihood and questions that are answered freely, for the base and for an adapter,
every score and every answer through the gateway equals that of the engine asked directly,
log-likelihoods within 1e-4. lm-eval lives in an environment of its own. Needs an engine.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...adapters import Card, EngineError, Store, identify_base
from ...distill.tiny_base import tiny_base_path
from ...server.config import ServeConfig
from ..bench.rows import Row
from ..bench.serve_elsewhere import python_with, version_in
from ..bench.serve_sides import Side, gateway_before, vllm
from .serve_ground import make_adapter

BAR_LOGLIKELIHOOD = 1e-4
NAME = "judged"
_RUN_S = 600.0
_CHOICES = ("yes", "no", "red")
_TASKS: Mapping[str, Mapping[str, object]] = {
    "own_choice": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": list(_CHOICES),
        "doc_to_target": "{{target}}",
        "metric_list": [{"metric": "acc"}],
    },
    "own_answer": {
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{answer}}",
        "generation_kwargs": {"max_gen_toks": 8, "until": ["\n"], "temperature": 0},
        "metric_list": [{"metric": "exact_match"}],
    },
}


def rows(home: Path, *, questions: int = 6) -> list[Row]:
    """Base and adapter, each asked directly and through the gateway."""
    python = python_with("lm-eval")
    tasks = write_tasks(home / "tasks", questions)
    base = tiny_base_path()
    identity = identify_base(base)
    store = Store(home / "store")
    folder = make_adapter(home / "adapter", seed=1, strength=200.0)
    version = store.put(folder, card=Card(kind="skill", base=identity.for_card()), name=NAME)
    config = ServeConfig(base=str(base), store=store.root)
    with vllm(config, home / "engine") as engine, gateway_before(engine, config) as (gateway, _):
        through = {
            what: evaluate(python, gateway, model, tasks, home / f"through-{what}")
            for what, model in (("base", "base"), ("adapter", version.ref))
        }
        direct = {
            what: evaluate(python, engine, model, tasks, home / f"direct-{what}")
            for what, model in (("base", engine.model), ("adapter", _engine_side(engine)))
        }
    versions = {"lm_eval": version_in(python, "lm_eval")}
    rows = [row for what in direct for row in _rows(what, through[what], direct[what], versions)]
    return [*rows, _control(direct["base"], direct["adapter"])]


def write_tasks(folder: Path, questions: int) -> Path:
    """Two tasks and their questions; nothing is fetched."""
    folder.mkdir(parents=True)
    lines = [
        {"question": f"Is {n} even? ", "target": n % 2, "answer": _CHOICES[n % 2]}
        for n in range(questions)
    ]
    data = folder / "questions.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name, task in _TASKS.items():
        document = {
            "task": name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data)}},
            "test_split": "test",
            **task,
        }
        (folder / f"{name}.yaml").write_text(json.dumps(document))  # JSON is YAML, too
    return folder


def evaluate(python: Path, side: Side, model: str, tasks: Path, out: Path) -> list[dict[str, Any]]:
    """Run lm-eval against one server; what it logged of every question, in order.

    Raises:
        EngineError: it failed; its last words are in the message.
    """
    arguments = {
        "model": model,
        "base_url": f"{side.url}/v1/completions",
        "tokenizer_backend": "huggingface",
        "tokenizer": str(tiny_base_path()),
        "tokenized_requests": "False",
        "num_concurrent": "2",
        "max_retries": "1",
    }
    words = ",".join(f"{name}={value}" for name, value in arguments.items())
    command = [str(python), "-m", "lm_eval", "--model", "local-completions", "--model_args", words]
    command += ["--tasks", ",".join(_TASKS), "--include_path", str(tasks)]
    command += ["--output_path", str(out), "--log_samples", "--batch_size", "1"]
    env = {**os.environ, "OPENAI_API_KEY": side.key or "none", "HF_HOME": str(out / "hf")}
    env |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    for name in ("PYTHONPATH", "PYTHONHOME"):
        env.pop(name, None)
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_RUN_S)
    samples = sorted(out.rglob("samples_*.jsonl"))
    if done.returncode != 0 or len(samples) != len(_TASKS):
        raise EngineError(f"lm-eval ended with {done.returncode}: {done.stderr[-1500:]}")
    logged = [json.loads(line) for path in samples for line in path.read_text().splitlines()]
    return sorted(logged, key=lambda one: (one["doc"]["question"], "acc" in one))


def _rows(
    what: str,
    through: Sequence[dict[str, Any]],
    direct: Sequence[dict[str, Any]],
    versions: Mapping[str, str],
) -> list[Row]:
    """Scores and answers equal, log-likelihoods close."""
    gaps, unequal = [0.0], 0
    for mine, other in zip(through, direct, strict=True):
        if "acc" in mine:
            pairs = zip(_likelihoods(mine), _likelihoods(other), strict=True)
            gaps += [abs(a - b) for a, b in pairs]
            unequal += mine["acc"] != other["acc"]
        else:
            unequal += mine["filtered_resps"] != other["filtered_resps"]
    return [
        Row(
            f"lm-eval, {what}: scores and answers that differ from the engine's own",
            unequal,
            len(direct),
            op="==",
            bar=0,
            versions=versions,
        ),
        Row(
            f"lm-eval, {what}: log-likelihoods, largest difference",
            max(gaps),
            len(gaps) - 1,
            op="<=",
            bar=BAR_LOGLIKELIHOOD,
            versions=versions,
        ),
    ]


def _control(base: Sequence[dict[str, Any]], adapter: Sequence[dict[str, Any]]) -> Row:
    """The adapter is another model: a gateway that asked the base instead would be seen."""
    both = [(a, b) for a, b in zip(base, adapter, strict=True) if "acc" in a]
    gaps = [
        abs(x - y) for a, b in both for x, y in zip(_likelihoods(a), _likelihoods(b), strict=True)
    ]
    figure = "lm-eval, control: mean difference of log-likelihoods, adapter to base"
    return Row(figure, sum(gaps) / len(gaps), len(gaps), op=">=", bar=0.1)


def _likelihoods(logged: dict[str, Any]) -> list[float]:
    """Of each choice."""
    return [float(one[0][0] if isinstance(one[0], list) else one[0]) for one in logged["resps"]]


def _engine_side(engine: Side) -> str:
    """The engine's own name of the one adapter that it holds by now."""
    headers = {"authorization": f"Bearer {engine.key}"}
    request = urllib.request.Request(f"{engine.url}/v1/models", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        data = json.load(reply)["data"]
    (name,) = [str(model["id"]) for model in data if model.get("parent")]
    return name
