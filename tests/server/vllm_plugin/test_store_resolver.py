"""Names to folders of the store, without an engine."""

import asyncio
from pathlib import Path

import pytest
from skillweave.adapters import Card, Delta, Store, identify_base, write_peft
from skillweave.distill.tiny_base import tiny_base_path

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    import torch

    work = tmp_path_factory.mktemp("resolver")
    base = identify_base(tiny_base_path())
    name, (out, into) = next((n, s) for n, s in base.modules.items() if n.endswith("q_proj"))
    write_peft({name: Delta(torch.ones(1, into), torch.ones(out, 1), 1.0)}, work / "adapter")
    store = Store(work / "store")
    store.put(work / "adapter", card=Card(kind="skill", base=base.for_card()), name="team/known")
    return store


def test_references_become_folders_of_the_store(store: Store) -> None:
    from skillweave.server.vllm_plugin.store_resolver import StoreResolver

    resolver = StoreResolver(Store(store.root, read_only=True))
    path = store.resolve("team/known@1").path
    for name in ("team/known", "team/known@1", "team/known@default", "team/known@latest"):
        found = asyncio.run(resolver.resolve_lora(str(tiny_base_path()), name))
        assert found is not None
        assert (found.lora_name, Path(found.lora_path)) == (name, path)


@pytest.mark.parametrize(
    "name", ["team/known@2", "known", "../x", "/etc", "team/known*2", "base", "", "a" * 5000, "\0"]
)
def test_other_names_become_nothing(store: Store, name: str) -> None:
    from skillweave.server.vllm_plugin.store_resolver import StoreResolver

    resolver = StoreResolver(Store(store.root, read_only=True))
    assert asyncio.run(resolver.resolve_lora(str(tiny_base_path()), name)) is None


def test_another_base_has_no_adapters(store: Store, tmp_path: Path) -> None:
    from skillweave.server.vllm_plugin.store_resolver import StoreResolver

    resolver = StoreResolver(Store(store.root, read_only=True))
    for base in (str(tmp_path), "some/hub-id"):
        assert asyncio.run(resolver.resolve_lora(base, "team/known")) is None


def test_an_unknown_name_is_looked_up_again_only_after_a_while(store: Store) -> None:
    from skillweave.server.vllm_plugin.store_resolver import UNKNOWN_S, StoreResolver

    now = [0.0]
    resolver = StoreResolver(store, clock=lambda: now[0])

    def known(name: str) -> bool:
        return asyncio.run(resolver.resolve_lora(str(tiny_base_path()), name)) is not None

    assert not known("team/known@soon")
    store.tag("team/known", "soon", 1)
    assert not known("team/known@soon")
    now[0] = UNKNOWN_S
    assert known("team/known@soon")
