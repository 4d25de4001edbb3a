"""One base and one store: what is loaded, and how the base is called."""

import shutil
from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.workbench import Workbench


@pytest.fixture
def bench(small_base_dir: Path, tmp_path: Path) -> Workbench:
    return Workbench(small_base_dir, Store(tmp_path / "store"))


def test_nothing_is_loaded_before_it_is_needed(bench: Workbench) -> None:
    assert bench.base_name == "small-base"
    assert {"model", "tokenizer", "identity"}.isdisjoint(vars(bench))
    assert bench.model is bench.model
    assert bench.identity.architecture == "Qwen3ForCausalLM"


def test_the_shipped_base_has_a_name_and_no_path(tmp_path: Path) -> None:
    here = tiny_base_path()
    for base in (here, here / ".." / here.name):
        assert Workbench(base, Store(tmp_path)).base_name == "skillweave-tiny"


def test_short_rows_are_filled_with_the_tokenizers_own_token_or_any(
    bench: Workbench, small_base_dir: Path, tmp_path: Path
) -> None:
    assert bench.pad == 0
    copy = tmp_path / "no-pad"
    shutil.copytree(small_base_dir, copy)
    (copy / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    assert Workbench(copy, bench.store).pad == 0
