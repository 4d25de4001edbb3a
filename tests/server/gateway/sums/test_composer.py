"""Sums of adapters over the wire: exact where they fit, else cut with the error told; made once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from skillweave.adapters.delta import AdapterDelta
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.router.types import Choice, Route, State
from skillweave.server.gateway.sums.mix_folder import MixFolder
from torch import Tensor

from ....one_module import MODULE

Arena = Any


def run(test: Any) -> None:
    asyncio.run(test())


def matrix(delta: AdapterDelta) -> Tensor:
    """(O, I) the update itself."""
    module = delta[MODULE]
    return (module.scale * module.up_OR @ module.down_RI).double()


def stored(stock: Any, ref: str) -> Tensor:
    return matrix(read_peft(stock.store.resolve(ref).path))


def served(a: Any, name: str) -> Tensor:
    return matrix(read_peft(Path(a.engines[0].adapters[name])))


@pytest.fixture
def two(stock: Any) -> Any:
    stock.put("a", seed=1)
    stock.put("a", seed=2)
    stock.put("b", seed=3)
    return stock


def test_an_exact_sum_is_one_adapter_for_every_spelling(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            reply = await a.chat("a@2*0.7+b*-0.25", "hello there")
            assert reply.status_code == 200, reply.text
            assert reply.json()["model"] == "a@2*0.7+b*-0.25"
            told = reply.headers
            assert told["x-skillweave-adapter"] == "a@2*0.7+b@1*-0.25"
            assert told["x-skillweave-form"] == "adapter"
            assert told["x-skillweave-error"] == "0"
            (name,) = a.engines[0].loads
            assert name == f"mix--{told['x-skillweave-version']}"
            expected = 0.7 * stored(two, "a@2") - 0.25 * stored(two, "b@1")
            assert (served(a, name) - expected).abs().max() < 1e-5
            said = await a.words("a@2*0.7+b*-0.25", "hello there")
            for same in ("b@1*-0.25+a@latest*0.7:exact", "b*-0.25+a@2*0.3+a@2*0.4+a*0"):
                assert await a.words(same, "hello there") == said
            assert await a.words("a*0.7+b*-0.25", "hello there") != said  # another version
            assert len(a.engines[0].loads) == 2

    run(test)


def test_one_term_with_a_weight_is_a_sum_and_with_the_weight_one_is_not(
    arena: Arena, two: Any
) -> None:
    async def test() -> None:
        async with arena(two) as a:
            half = await a.chat("a*0.5")
            assert half.headers["x-skillweave-adapter"] == "a@1*0.5"
            (name,) = a.engines[0].loads
            assert (served(a, name) - 0.5 * stored(two, "a@1")).abs().max() < 1e-6
            plain = await a.words("a")
            for same in ("a*1", "a:exact", "a*0.5+a*0.5", "a+b*0"):
                assert await a.words(same) == plain
            assert len(a.engines[0].loads) == 2
            zero = await a.chat("a*0")
            assert zero.status_code == 200
            assert not served(a, a.engines[0].loads[-1]).any()

    run(test)


def test_what_does_not_fit_is_cut_and_says_by_how_much(arena: Arena, stock: Any) -> None:
    async def test() -> None:
        for seed, name in enumerate("abc", start=1):
            stock.put(name, seed=seed, rank=3)
        async with arena(stock, max_lora_rank=4) as a:
            reply = await a.chat("a+b+c*0.5")
            assert reply.status_code == 200, reply.text
            error = float(reply.headers["x-skillweave-error"])
            exact = stored(stock, "a") + stored(stock, "b") + 0.5 * stored(stock, "c")
            made = served(a, a.engines[0].loads[0])
            assert 0 < error < 1
            assert error == pytest.approx(float((made - exact).norm() / exact.norm()), rel=1e-4)
            refused = await a.chat("a+b+c*0.5:exact")
            assert refused.status_code == 409
            assert "rank 9" in refused.json()["error"]["message"]
            assert "--max-lora-rank 16" in refused.json()["error"]["message"]
            assert (await a.chat("a*0.5:exact")).headers["x-skillweave-error"] == "0"

    run(test)


def test_an_alias_that_moves_means_another_sum(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            before = await a.words("a*0.5+b")
            moved = await a.admin("alias", name="a", alias="default", version=2)
            assert moved.status_code == 200, moved.text
            assert await a.words("a*0.5+b") != before
            assert await a.words("a@1*0.5+b") == before

    run(test)


def test_a_sum_takes_the_adapter_of_a_skill_that_is_served_as_text(
    arena: Arena, stock: Any, new_skill: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        digest = stock.put("sql", seed=1, skill=new_skill(tmp_path / "sql", name="sql"))
        stock.store.attest(digest, {"form": "text"})
        stock.put("csv", seed=2)
        new_skill(tmp_path / "skills" / "loose", name="loose")
        async with arena(stock, skills=tmp_path / "skills") as a:
            assert (await a.chat("sql")).headers["x-skillweave-form"] == "text"
            assert (await a.chat("sql+csv")).headers["x-skillweave-form"] == "adapter"
            loose = await a.chat("loose+csv")
            assert loose.status_code == 400
            assert "loose has no adapter" in loose.json()["error"]["message"]
            for absent in ("nope+csv", "csv*0.5+nope"):
                reply = await a.chat(absent)
                assert reply.status_code == 404
                assert "`nope`" in reply.json()["error"]["message"]
            assert (await a.chat("sql:text+csv")).status_code == 400

    run(test)


def test_fifty_at_once_make_it_and_load_it_once(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            replies = await asyncio.gather(*(a.chat("a*0.3+b*0.3") for _ in range(50)))
            assert {reply.status_code for reply in replies} == {200}
            assert len(a.engines[0].loads) == 1
            assert len(a.service.composer.kept) == 1

    run(test)


class Tight(MixFolder):
    """Room for two sums of the tests' adapters."""

    def __init__(self, fallback: Path | None) -> None:
        super().__init__(fallback)
        self.max_bytes = 3000


def test_where_no_folder_can_be_made_the_answer_says_so(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            usual = a.service.composer.new_folder

            def full() -> MixFolder:
                raise OSError(28, "No space left on device")

            a.service.composer.new_folder = full
            reply = await a.chat("a*0.5+b")
            assert reply.status_code == 500
            assert reply.json()["error"]["code"] == "store_error"
            a.service.composer.new_folder = usual
            assert (await a.chat("a*0.5+b")).status_code == 200

    run(test)


def test_the_least_recently_used_makes_room(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            composer = a.service.composer
            composer.new_folder = lambda: Tight(None)
            for model in ("a*0.1+b", "a*0.2+b", "a*0.1+b", "a*0.3+b"):
                assert (await a.chat(model)).status_code == 200
            kept = [mix.recipe.label for mix in composer.kept]
            assert kept == ["a@1*0.1+b@1", "a@1*0.3+b@1"]
            names = {mix.servable.name for mix in composer.kept}
            async with asyncio.timeout(5):
                while {folder.name for folder in composer._folder.path.iterdir()} != names:
                    await asyncio.sleep(0)
            assert set(a.engines[0].adapters) == names
            assert (await a.chat("a*0.2+b")).status_code == 200  # made again

    run(test)


def test_what_is_in_use_is_not_taken_away(arena: Arena, two: Any) -> None:
    async def test() -> None:
        async with arena(two) as a:
            composer = a.service.composer
            composer.new_folder = lambda: Tight(None)
            for model in ("a*0.1+b", "a*0.2+b"):
                await a.chat(model)
            one, other = composer.kept
            async with (
                a.service.residency.hold(one.servable),
                a.service.residency.hold(other.servable),
            ):
                busy = await a.chat("a*0.3+b")
                assert busy.status_code == 429
                assert busy.headers["retry-after"]
                assert one.servable.path.is_dir()
            assert (await a.chat("a*0.3+b")).status_code == 200

    run(test)


class Mixing:
    """A selector that answers with a mixture, whose weights stand beside the grid."""

    def __init__(self, *choices: Choice) -> None:
        self.choices = choices

    def route(self, state: State) -> Route:
        return Route(self.choices, "near both", {each.skill: 1.0 for each in self.choices})


def test_a_mixture_of_the_router_is_a_sum_on_a_grid(arena: Arena, two: Any) -> None:
    async def test() -> None:
        mixing = Mixing(Choice("a", weight=0.7), Choice("b", weight=0.3), Choice("c", weight=0.1))
        async with arena(two, selector=mixing) as a:
            reply = await a.chat("auto")
            assert reply.headers["x-skillweave-adapter"] == "a@1*0.75+b@1*0.25"
            assert reply.headers["x-skillweave-route"] == "auto: near both"
            assert reply.json()["model"] == "auto"

    run(test)


def test_a_mixture_with_a_text_is_answered_by_its_strongest(
    arena: Arena, two: Any, new_skill: Any, tmp_path: Path
) -> None:
    async def test() -> None:
        new_skill(tmp_path / "skills" / "t", name="t")
        mixing = Mixing(Choice("a", weight=0.25), Choice("t", "text", 0.75))
        async with arena(two, selector=mixing, skills=tmp_path / "skills") as a:
            reply = await a.chat("auto")
            assert reply.headers["x-skillweave-adapter"] == "t"
            assert "strongest" in reply.headers["x-skillweave-route"]

    run(test)


def test_the_folder_goes_with_the_gateway(arena: Arena, two: Any) -> None:
    async def test() -> Path:
        async with arena(two) as a:
            await a.chat("a+b")
            folder: Path = a.service.composer.kept[0].servable.path.parent
            assert folder.is_dir()
        return folder

    assert not asyncio.run(test()).exists()
