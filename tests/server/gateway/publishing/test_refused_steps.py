"""Steps that are not taken, and why the client is told so."""

import json
from pathlib import Path
from typing import Any

from skillweave.server.engines.fake import FakeEngine

from ....one_module import MODULE
from .steps import Arena, adapter, folders_of, run


def test_the_same_step_twice_is_one_and_other_bytes_are_a_conflict(
    arena: Arena, stock: Any
) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for _ in range(2):
                reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
                assert reply.status_code == 200
            assert len(a.engines[0].loads) == len(folders_of(a)) == 1
            reply = await a.send("publish", adapter(stock, 2), run="rl", step=1)
            assert reply.status_code == 409
            assert "other weights" in reply.json()["error"]["message"]
            assert len(a.engines[0].adapters) == len(folders_of(a)) == 1

    run(test)


def test_a_step_behind_the_window_is_a_conflict(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for step in (5, 6):
                await a.send("publish", adapter(stock, step), run="rl", step=step, staleness=0)
            reply = await a.send("publish", adapter(stock, 4), run="rl", step=4, staleness=0)
            assert reply.status_code == 409
            assert "[5, 6]" in reply.json()["error"]["message"]
            assert len(folders_of(a)) == 2

    run(test)


def test_nothing_stays_where_an_engine_refuses(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        engines = [FakeEngine(), FakeEngine(refuse="run--rl")]
        async with arena(stock, engines=engines) as a:
            reply = await a.send("publish", adapter(stock, 1), run="rl", step=1)
            assert reply.status_code == 422
            assert engines[0].held == set()
            assert folders_of(a) == []
            assert (await a.chat("rl@1")).status_code == 404

    run(test)


def spoil(folder: Path, how: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = folder / "adapter_model.safetensors"
    if how == "no numbers":
        tensors = load_file(weights)
        next(iter(tensors.values()))[0, 0] = torch.nan
        save_file(tensors, weights)
    elif how == "another module":
        weights.write_bytes(weights.read_bytes().replace(b"layers.0.", b"layers.9."))
    else:
        weights.write_bytes(b"no header")


SPOILED = [("no numbers", "not_finite"), ("another module", "unknown_module"), ("", "bad_header")]


def test_bytes_pass_the_gate_before_an_engine_sees_them(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock) as a:
            for seed, (how, code) in enumerate(SPOILED):
                folder = adapter(stock, seed)
                spoil(folder, how)
                for verb, name in (
                    ("publish", {"run": "rl", "step": 1}),
                    ("upload", {"name": "x"}),
                ):
                    reply = await a.send(verb, folder, **name)
                    assert reply.status_code == 422, reply.text
                    assert code in reply.json()["error"]["message"]
                    assert str(a.service.state.run_dir) not in reply.text
            assert MODULE.startswith("model.layers.0.")
            assert a.engines[0].loads == []
            assert folders_of(a) == []

    run(test)


def test_a_rank_above_the_cap_is_a_conflict_that_names_the_flag(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        async with arena(stock, max_lora_rank=2) as a:
            reply = await a.send("publish", adapter(stock, 1, rank=4), run="rl", step=1)
            assert reply.status_code == 409
            assert "--max-lora-rank 4" in reply.json()["error"]["message"]
            assert folders_of(a) == []

    run(test)


def test_forms_that_make_no_step(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        forms: list[dict[str, object]] = [
            {},
            {"run": "rl"},
            {"run": "rl", "step": 0},
            {"run": "rl", "step": "x"},
            {"run": "RL", "step": 1},
            {"run": "../x", "step": 1},
            {"run": "latest", "step": 1},
            {"run": "rl", "step": 1, "typo": 1},
            {"run": "rl", "step": 1, "staleness": 65},
            {"run": "rl", "step": 10**9},
        ]
        async with arena(stock) as a:
            for fields in forms:
                reply = await a.send("publish", adapter(stock, 1), **fields)
                assert reply.status_code == 400, (fields, reply.text)
                assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
                assert folders_of(a) == []

    run(test)


def test_a_step_in_a_sum_is_refused_in_words(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            await a.send("publish", adapter(stock, 2), run="rl", step=1)
            reply = await a.chat("sql+rl@1*0.5")
            assert reply.status_code == 400
            assert "promote it first" in reply.json()["error"]["message"]
            assert json.loads(reply.text)["error"]["param"] == "model"

    run(test)
