"""The exam of the hub: store -> push -> hf download -> pull -> PEFT -> vLLM, killed in the middle.

Everything as users have it: our commands and the real `hf` as processes of their own, against our
hub as one more, over real sockets. Criterion, written before any run: the digests at the end are
those at the beginning, every artifact file byte for byte; a push or pull that was killed with
SIGKILL when half of the weights had passed leaves nothing visible, and repeated it completes, the
pull without fetching again what it had; log-probabilities by PEFT are equal bit for bit before and
after, and vLLM serves the pulled version within 1e-4 of them, while another adapter is 0.1 away.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from ...adapters import Card, Delta, Store, Version, artifact_digests, identify_base, write_peft
from ...distill.agreement import (
    BAR_MAX_ABS,
    BAR_WRONG_MEAN_ABS,
    differences,
    local_logprobs,
    served_logprobs,
)
from ...distill.rendering import TokenRow
from ...distill.serving import Launch, ServePlan
from ...distill.tiny_base import tiny_base_path
from ..bench.rows import Row
from ..launching import launcher
from .report import write_exam
from .wire_tap import WireTap, wire_tap

RANK = 64
REPO = "exam/skill"
ARTIFACT = ("adapter_config.json", "adapter_model.safetensors", "card.json", "skill/scripts/run.sh")
_WAIT_S = 120.0


@dataclass(frozen=True)
class Place:
    """Where a machine of the exam keeps what it has: a home of its own."""

    home: Path
    env: Mapping[str, str]

    @property
    def store(self) -> Store:
        """Its store."""
        return Store(self.home / "store")

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start one of our commands, or `hf`."""
        ours = [sys.executable, "-m", "skillweave.scripts.cli"]
        first = [str(Path(sys.executable).with_name("hf"))] if command[0] == "hf" else ours
        rest = command[1:] if command[0] == "hf" else command
        return subprocess.Popen(
            [*first, *rest],
            env={**os.environ, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> str:
        """Run a command to its end; its output, in an error where it failed."""
        process = self.start(*command)
        out, _ = process.communicate(timeout=_WAIT_S)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{out}")
        return out

    def killed_in_the_middle(self, tap: WireTap, *command: str, **limit: int) -> int:
        """Run a command and kill it when so many bytes have passed; returns its exit code."""
        tap.begin(**limit)
        process = self.start(*command)
        held = tap.wait_until_held(_WAIT_S)
        process.kill()
        process.communicate()
        tap.drop()
        if not held:
            raise RuntimeError(f"{' '.join(command)} never sent or got {limit}")
        return int(process.returncode)


def main() -> int:
    """Run it in a temporary folder and write `results/exams/hub.json`."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="exam-hub-") as folder:
        rows = run(Path(folder), launch=launcher())
    path = write_exam("hub", rows, client=f"huggingface_hub {installed('huggingface_hub')}")
    for row in rows:
        print(f"{'ok ' if row.holds and row.equal else 'NO '} {row.figure}: {row.value:g}")
    print(path)
    return 0 if all(row.holds and row.equal for row in rows) else 1


def run(folder: Path, *, launch: Launch | None) -> list[Row]:
    """The whole way, in `folder`; returns the figures. Without `launch` it ends before vLLM."""
    base = tiny_base_path()
    with _hub(folder / "hub-root") as url, wire_tap(url) as tap:
        env = _client_env(folder, tap.url)
        here = Place(folder / "here", {**env, "SKILLWEAVE_HOME": str(folder / "here")})
        there = Place(folder / "there", {**env, "SKILLWEAVE_HOME": str(folder / "there")})
        version = _make(here.store, folder / "made", seed=1)
        rows = _push(here, version, tap)
        rows += _download(there, version, folder / "downloaded")
        rows += _pull(there, version, tap)
    pulled = there.store.resolve("skill")
    wrong = _make(there.store, folder / "other", seed=2, name="other")
    paths = {"ours": version.path, "theirs": folder / "downloaded", "pulled": pulled.path}
    return rows + _agreement(base, there.store, pulled, wrong, paths, launch=launch)


def _push(here: Place, version: Version, tap: WireTap) -> list[Row]:
    half = (version.path / ARTIFACT[1]).stat().st_size // 2
    code = here.killed_in_the_middle(tap, "push", "skill", REPO, sent=half)
    tap.begin()
    before = here.run("hf", "models", "info", REPO, "--json")
    names = [name for name in ARTIFACT if f'"{name}"' in before]
    tap.begin()
    here.run("push", "skill", REPO, "--tag-version")
    sent = tap.sent
    tap.begin()
    here.run("push", "skill", REPO, "--tag-version")
    return [
        _count("push killed in the middle: files visible on the hub", len(names), n=1, bar=0),
        _equal("push was killed (SIGKILL)", code == -9),
        Row("bytes sent by the push after it, over the weights", sent / (2 * half), n=1),
        Row("bytes sent by a push of what is there, over the weights", tap.sent / (2 * half), n=1),
    ]


def _download(there: Place, version: Version, target: Path) -> list[Row]:
    there.run("hf", "download", REPO, "--revision", "v1", "--local-dir", str(target))
    same = sum((target / n).read_bytes() == (version.path / n).read_bytes() for n in ARTIFACT)
    return [_count("hf download: artifact files equal, of 4", same, n=len(ARTIFACT), bar=4)]


def _pull(there: Place, version: Version, tap: WireTap) -> list[Row]:
    size = (version.path / ARTIFACT[1]).stat().st_size
    code = there.killed_in_the_middle(tap, "pull", f"{REPO}@v1", received=size // 2)
    visible = len(there.store.list())
    tap.begin()
    there.run("pull", f"{REPO}@v1")
    received = tap.received
    pulled = there.store.resolve("skill")
    digests = artifact_digests(pulled.path)
    equal = (digests.version, digests.weights) == (version.version_digest, version.weights_digest)
    return [
        _equal("pull was killed (SIGKILL)", code == -9),
        _count("pull killed in the middle: versions visible in the store", visible, n=1, bar=0),
        Row("bytes fetched by the pull after it, over the weights", received / size, 1, "<=", 0.75),
        _equal("version and weights digests are equal after the pull", equal),
        _count("problems that fsck finds afterwards", len(there.store.fsck()), n=1, bar=0),
    ]


def _agreement(
    base: Path,
    store: Store,
    pulled: Version,
    wrong: Version,
    paths: Mapping[str, Path],
    *,
    launch: Launch | None,
) -> list[Row]:
    tokens = _token_rows()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    own = {what: local_logprobs(model, path, tokens) for what, path in paths.items()}
    same = _equal(
        "PEFT: log-probabilities of pushed, downloaded and pulled are equal bit for bit",
        own["ours"] == own["theirs"] == own["pulled"],
    )
    if launch is None:
        return [same]
    other = local_logprobs(model, wrong.path, tokens)
    plan = ServePlan(base=base, store=store.root, rank=RANK, slots=2)
    with launch(plan) as served:
        name = f"{pulled.ref}:adapter"
        found = asyncio.run(served_logprobs(served.url, name, tokens))
    right, control = differences(found, own["ours"]), differences(found, other)
    return [
        same,
        Row(
            "vLLM serves the pulled version: largest difference to PEFT on the pushed one",
            right.max_abs,
            right.tokens,
            "<=",
            BAR_MAX_ABS,
        ),
        Row(
            "control: mean difference to another adapter",
            control.mean_abs,
            control.tokens,
            ">=",
            BAR_WRONG_MEAN_ABS,
        ),
    ]


def _make(store: Store, folder: Path, *, seed: int, name: str = "skill") -> Version:
    """A random adapter on every linear module of the shipped base, with a skill folder."""
    base = identify_base(tiny_base_path())
    generator = torch.Generator().manual_seed(seed)
    delta = {
        module: Delta(
            torch.randn(RANK, shape[1], generator=generator) / shape[1] ** 0.5,
            torch.randn(shape[0], RANK, generator=generator) / RANK**0.5,
            0.3,
        )
        for module, shape in base.modules.items()
        if module.startswith("model.layers.")
    }
    write_peft(delta, folder / "adapter")
    scripts = folder / "skill" / "scripts"
    scripts.mkdir(parents=True)
    (folder / "skill" / "SKILL.md").write_text(
        f"---\nname: {name}\ndescription: For the exam.\nlicense: MIT\n---\nDo it.\n"
    )
    (scripts / "run.sh").write_text("#!/bin/sh\n")
    (scripts / "run.sh").chmod(0o755)
    card = Card(kind="skill", base=base.for_card(name="skillweave-tiny"), skill_name=name)
    return store.put(
        folder / "adapter", card=card, name=name, skill_dir=folder / "skill", base=base
    )


def _token_rows() -> list[TokenRow]:
    """Two rows of arbitrary tokens; every token but the first is compared."""
    rows = []
    for start in (7, 11):
        ids = tuple((start * place) % 250 + 5 for place in range(96))
        rows.append(TokenRow(ids, (False, *([True] * 95))))
    return rows


@contextmanager
def _hub(root: Path) -> Iterator[str]:
    """`skillweave hub serve` as a process; its address."""
    command = [sys.executable, "-m", "skillweave.scripts.cli", "hub"]
    made = subprocess.run(
        [*command, "token", "create", "exam", "--write", "--root", str(root)],
        capture_output=True,
        text=True,
        check=True,
    )
    root.with_name("token").write_text(made.stdout.strip())
    process = subprocess.Popen(
        [*command, "serve", "--root", str(root), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        yield first.rstrip().rpartition(" ")[2]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _client_env(folder: Path, url: str) -> dict[str, str]:
    return {
        "HF_ENDPOINT": url,
        "HF_TOKEN": (folder / "token").read_text(),
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _equal(figure: str, equal: bool) -> Row:
    return Row(figure, float(equal), 1, "==", 1.0, equal=equal)


def _count(figure: str, value: int, *, n: int, bar: int) -> Row:
    return Row(figure, float(value), n, "==", float(bar))


if __name__ == "__main__":
    sys.exit(main())
