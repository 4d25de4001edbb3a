"""Composing stored adapters: what the result computes, what its card says, what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from skillweave.adapters.algebra import Energy
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card, Frame
from skillweave.adapters.compose.apply import apply
from skillweave.adapters.compose.compose import Composed, compose, keep, write
from skillweave.adapters.compose.methods import METHODS, Dare, Graft, Ties, method_of, parse_rank
from skillweave.adapters.delta import AdapterDelta, Delta
from skillweave.adapters.errors import (
    AdapterRefused,
    BaseMismatch,
    Conflict,
    ModelStringError,
    NotFound,
    StoreError,
    UsageError,
)
from skillweave.adapters.gate.policy import check_adapter
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.deltas import read_peft, write_peft
from skillweave.adapters.store.store import Store

from ..conftest import MakeAdapter

MASKED = ("ties", "dare", "dare_ties", "magnitude")


@pytest.fixture(scope="session")
def folders(make_adapter: MakeAdapter) -> dict[str, Path]:
    """Three adapters: of ranks 4, 4 and 2, and one that leaves a module out."""
    return {
        "a": make_adapter(seed=1),
        "b": make_adapter(seed=2),
        "c": make_adapter(seed=3, r=2, target_modules=["q_proj", "v_proj"]),
    }


@pytest.fixture(scope="session")
def filled_once(
    base: BaseIdentity, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The root of a store with the three; tests get copies."""
    store = Store(tmp_path_factory.mktemp("filled") / "store")
    for name, folder in folders.items():
        card = Card(kind="skill", base=base.for_card(name="tiny"), licence="MIT")
        store.put(folder, card=card, name=name, base=base)
    return store.root


@pytest.fixture
def filled(filled_once: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(filled_once, tmp_path / "filled")))


def dense(delta: AdapterDelta) -> dict[str, torch.Tensor]:
    return {name: module.dense_OI() for name, module in delta.items()}


def summed(*terms: tuple[Path, float]) -> dict[str, torch.Tensor]:
    """The weighted sum of the dense updates."""
    out: dict[str, torch.Tensor] = {}
    for folder, weight in terms:
        for name, update in dense(read_peft(folder)).items():
            out[name] = out.get(name, torch.zeros(())) + weight * update
    return out


def distance(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    assert ours.keys() == theirs.keys()
    return max(float((ours[n] - theirs[n]).abs().max() / theirs[n].abs().max()) for n in ours)


def test_the_exact_sum_has_the_ranks_of_its_terms_together(
    filled: Store, folders: dict[str, Path]
) -> None:
    composed = compose(filled, "a*0.7+b*-0.3+c*2")
    expected = summed((folders["a"], 0.7), (folders["b"], -0.3), (folders["c"], 2))
    assert distance(dense(composed.delta), expected) < 1e-6
    assert (composed.rank, composed.error) == (10, 0.0)
    down = [module.rank for name, module in composed.delta.items() if "down_proj" in name]
    assert set(down) == {8}  # c leaves it out


def test_the_card_names_parents_weights_method_rank_and_error(filled: Store) -> None:
    composed = compose(filled, "a*0.7+b@1*-0.3+c@latest", rank=4)
    kept = {name: filled.resolve(name) for name in "abc"}
    card = composed.card
    assert (card.kind, card.licence, card.base) == ("composed", "MIT", kept["a"].card.base)
    assert [(p.version_digest, p.weight, p.ref) for p in card.parents] == [
        (kept["a"].version_digest, 0.7, "a@1"),
        (kept["b"].version_digest, -0.3, "b@1"),
        (kept["c"].version_digest, 1.0, "c@1"),
    ]
    assert card.recipe is not None
    assert card.recipe.name == "compose"
    assert card.recipe.config == {
        "expression": "a@1*0.7+b@1*-0.3+c@1",
        "method": {"type": "linear"},
        "rank": 4,
        "error": float(f"{composed.error:.6g}"),
    }
    assert composed.notes == ()


def test_a_smaller_rank_is_the_best_of_its_rank_and_its_error_is_told(
    filled: Store, folders: dict[str, Path]
) -> None:
    composed = compose(filled, "a+b*-0.5", rank=3)
    target = summed((folders["a"], 1), (folders["b"], -0.5))
    lost = total = 0.0
    for update in target.values():
        lost += float(torch.linalg.svdvals(update.double())[3:].square().sum())
        total += float(update.double().square().sum())
    assert composed.error == pytest.approx((lost / total) ** 0.5, rel=1e-5)
    ours = dense(composed.delta)
    seen = sum(float((ours[n] - target[n]).square().sum()) for n in target)
    assert (seen / total) ** 0.5 == pytest.approx(composed.error, rel=1e-4)
    assert composed.rank == 3


def test_auto_keeps_the_energy_that_it_promises(filled: Store) -> None:
    composed = compose(filled, "a+b", rank=parse_rank("auto"))
    assert 0 < composed.rank <= 8
    assert composed.error <= 0.1  # sqrt(1 - 0.99)


def test_the_same_expression_is_the_same_version_whatever_it_was_called(filled: Store) -> None:
    first = keep(filled, compose(filled, "a*0.7+b*-0.3"), name="mix")
    again = keep(filled, compose(filled, "a@default*0.70+b@latest*-0.3"), name="mix")
    other = keep(filled, compose(filled, "a*0.7+b*-0.3", rank=4), name="mix")
    assert (first.ref, again.ref, other.ref) == ("mix@1", "mix@1", "mix@2")
    assert first.version_digest == again.version_digest != other.version_digest


def test_what_is_kept_passed_the_gate_and_can_be_composed_again(
    filled: Store, base: BaseIdentity, folders: dict[str, Path]
) -> None:
    version = keep(filled, compose(filled, "a+b"), name="sum")
    assert check_adapter(version.path, base) == ()
    back = compose(filled, "sum+b*-1")
    assert distance(dense(back.delta), summed((folders["a"], 1))) < 1e-5
    assert back.parents[0].version_digest == version.version_digest


def test_what_is_written_is_an_artifact_and_never_over_another(
    filled: Store, base: BaseIdentity, tmp_path: Path
) -> None:
    composed = compose(filled, "a*0.5")
    out = write(composed, tmp_path / "out")
    assert check_adapter(out, base) == ()
    assert distance(dense(read_peft(out)), dense(composed.delta)) == 0.0
    with pytest.raises(Conflict, match="never overwrites"):
        write(composed, out)


def test_what_the_gate_refuses_is_not_left_there(filled: Store, tmp_path: Path) -> None:
    composed = compose(filled, "a*0.5")
    spoiled = {n: Delta(m.down_RI * torch.inf, m.up_OR, 1.0) for n, m in composed.delta.items()}
    with pytest.raises(AdapterRefused, match=r"a@1\*0\.5 was refused"):
        write(replace(composed, delta=spoiled), tmp_path / "deep" / "out")
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize("options", [{}, {"rank": 1}, {"method": "ties", "rank": 1}])
def test_weights_that_float32_cannot_hold_are_refused(
    filled: Store, base: BaseIdentity, folders: dict[str, Path], tmp_path: Path, options: Any
) -> None:
    large = {
        n: Delta(m.down_RI, m.up_OR * 1e37, m.scale) for n, m in read_peft(folders["a"]).items()
    }
    write_peft(large, tmp_path / "large")
    card = Card(kind="skill", base=base.for_card(), licence="MIT")
    filled.put(tmp_path / "large", card=card, name="large", base=base)
    with pytest.raises(UsageError, match=r"large@1\*1000.*(too large for float32|is spoiled)"):
        compose(filled, "large*1000", **options)


def test_a_place_where_nothing_can_be_written_is_told(filled: Store, tmp_path: Path) -> None:
    composed = compose(filled, "a*0.5")
    with pytest.raises(StoreError, match=r"/proc/skillweave failed"):
        write(composed, Path("/proc/skillweave"))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict, match="never overwrites"):
        write(composed, tmp_path / "link")


@pytest.mark.parametrize("seed", [-1, 2**53])
def test_a_seed_is_a_number_that_json_can_hold(seed: int) -> None:
    assert Dare(seed=2**53 - 1).seed == 2**53 - 1
    with pytest.raises(UsageError, match="--seed: Input should be"):
        method_of("dare", seed=seed)


@pytest.mark.parametrize("method", MASKED)
def test_masked_methods_aim_at_the_masked_update(filled: Store, method: str) -> None:
    composed = compose(filled, "a+b*0.5", method=method)
    assert composed.rank == 8  # the terms' ranks together
    assert 0 < composed.error < 1
    settings: Any = composed.card.recipe and composed.card.recipe.config["method"]
    assert settings["type"] == method
    assert composed.card.seed == (0 if method.startswith("dare") else None)
    better = compose(filled, "a+b*0.5", method=method, rank=16)
    assert better.error < composed.error


def test_with_density_one_magnitude_is_the_plain_sum(filled: Store) -> None:
    masked = compose(filled, "a+b*-0.5", method=method_of("magnitude", density=1.0), rank=8)
    assert masked.error < 1e-3  # from a difference of squares in float32
    assert distance(dense(masked.delta), dense(compose(filled, "a+b*-0.5").delta)) < 1e-4


def test_dare_is_drawn_from_its_seed(filled: Store) -> None:
    def made(seed: int) -> Composed:
        return compose(filled, "a+b", method=Dare(seed=seed), rank=4)

    assert distance(dense(made(1).delta), dense(made(1).delta)) == 0
    assert distance(dense(made(1).delta), dense(made(2).delta)) > 0.1


def test_a_skill_vector_is_after_minus_before(filled: Store, folders: dict[str, Path]) -> None:
    composed = compose(filled, "a+b*-1", method="vector")
    assert composed.card.kind == "vector"
    assert distance(dense(composed.delta), summed((folders["a"], 1), (folders["b"], -1))) < 1e-6


def test_bai_is_a_shrunken_mean(filled: Store, folders: dict[str, Path]) -> None:
    composed = compose(filled, "a+b", method=method_of("bai", a=0.6))
    expected = summed((folders["a"], 0.3), (folders["b"], 0.3))
    assert [parent.weight for parent in composed.parents] == [0.3, 0.3]
    assert distance(dense(composed.delta), expected) < 1e-6


def test_a_graft_keeps_the_strongest_components(filled: Store) -> None:
    composed = compose(filled, "a", method=Graft(keep=0.5))
    assert (composed.card.kind, composed.rank) == ("graft", composed.rank)
    assert 0 < composed.error < 1
    assert compose(filled, "a", method=Graft(keep=1.0)).error < 1e-6
    num_kept = sum(module.rank for module in composed.delta.values())
    assert num_kept <= 0.5 * sum(module.rank for module in compose(filled, "a").delta.values()) + 6


def test_terms_of_other_bases_are_refused_with_both_digests(
    filled: Store, base: BaseIdentity, folders: dict[str, Path]
) -> None:
    other = base.for_card().model_copy(update={"family_digest": "e" * 64})
    filled.put(folders["b"], card=Card(kind="skill", base=other), name="elsewhere")
    with pytest.raises(BaseMismatch) as caught:
        compose(filled, "a+elsewhere")
    assert base.family_digest in str(caught.value)
    assert "e" * 64 in str(caught.value)
    reader = other.model_copy(update={"tokenizer_digest": "f" * 64})
    filled.put(folders["b"], card=Card(kind="skill", base=reader), name="reader")
    with pytest.raises(BaseMismatch, match=f"differ in tokenizer.*{'f' * 64}"):
        compose(filled, "elsewhere+reader")


def test_another_precision_needs_a_word_from_the_user(
    filled: Store, base: BaseIdentity, folders: dict[str, Path]
) -> None:
    half = base.for_card().model_copy(update={"precision": "bf16"})
    filled.put(folders["b"], card=Card(kind="skill", base=half), name="half")
    with pytest.raises(BaseMismatch, match="made on fp32 and half@1 on bf16"):
        compose(filled, "a+half")
    assert compose(filled, "a+half", accept_base=True).card.base.precision == "fp32"


def test_licence_and_frame_are_inherited_where_the_parents_allow_it(
    filled: Store, base: BaseIdentity, folders: dict[str, Path]
) -> None:
    card = Card(kind="skill", base=base.for_card(), frame=Frame(system="Be brief."))
    filled.put(folders["b"], card=card, name="unknown")
    composed = compose(filled, "a+unknown")
    assert composed.card.licence is None
    assert composed.card.frame == Frame()
    told = " ".join(composed.notes)
    apache = Card(kind="skill", base=base.for_card(), licence="Apache-2.0")
    filled.put(folders["b"], card=apache, name="apache")
    assert compose(filled, "a+apache").card.licence == "apache-2.0"  # the more demanding
    closed = Card(kind="skill", base=base.for_card(), licence="proprietary")
    filled.put(folders["b"], card=closed, name="closed")
    refused = compose(filled, "a+closed")
    assert refused.card.licence is None
    assert "closed@1 is under proprietary" in refused.notes[0]
    assert "a@1: MIT, unknown@1: unknown" in told
    assert "frame" in told


@pytest.mark.parametrize("text", ["base", "auto", "a:text"])
def test_what_is_no_adapter_is_refused(filled: Store, text: str) -> None:
    with pytest.raises(ModelStringError, match=r"no adapter|is a text"):
        compose(filled, text)


def test_an_unknown_term_is_named(filled: Store) -> None:
    with pytest.raises(NotFound, match="nope"):
        compose(filled, "a+nope")


@pytest.mark.parametrize(
    ("model", "options", "complaint"),
    [
        ("a+b:exact", {"rank": 4}, "forbids cutting"),
        ("a+b:exact", {"rank": Energy(0.99)}, "forbids cutting"),
        ("a+b:exact", {"method": "ties"}, "forbids cutting"),
        ("a+b", {"rank": 0}, "expected 1 to 512"),
        ("a+b", {"rank": 513}, "expected 1 to 512"),
        ("a+b", {"limits": Limits(rank=7)}, "may have rank 8.*--rank"),
        ("a+b", {"method": "vector"}, "opposite weights"),
        ("a", {"method": "vector"}, "opposite weights"),
        ("a*0.5+b", {"method": "bai"}, "without weights"),
        ("a+b", {"method": "graft", "rank": 2}, "leave --rank out"),
        ("a+b", {"method": "ties", "rank": "exact"}, "full rank"),
        ("a+b", {"method": "svd"}, "no such method; methods are linear"),
    ],
)
def test_what_cannot_work_says_why(
    filled: Store, model: str, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        compose(filled, model, **options)


def test_exact_is_allowed_where_nothing_is_cut(filled: Store) -> None:
    composed = compose(filled, "a*0.7+b:exact")
    assert composed.error == 0
    assert composed.expression == "a@1*0.7+b@1:exact"


@pytest.mark.parametrize(
    ("name", "settings", "complaint"),
    [
        ("linear", {"density": 0.5}, "--density means nothing to --method linear"),
        ("ties", {"density": 2.0}, "--density: Input should be less than or equal to 1"),
        ("dare", {"keep": 0.5, "seed": 1}, "--keep means nothing to --method dare"),
    ],
)
def test_settings_that_a_method_has_not_are_named(
    name: str, settings: dict[str, float], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        method_of(name, **settings)


def test_every_method_has_a_name_and_defaults() -> None:
    assert [method_of(name).type for name in METHODS] == list(METHODS)
    assert method_of("ties", density=None) == Ties()


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "all", "٣", "9" * 5000])
def test_a_rank_is_exact_auto_or_a_number(text: str) -> None:
    assert (parse_rank("exact"), parse_rank("16"), parse_rank(None)) == ("exact", 16, None)
    assert parse_rank("auto") == Energy(0.99)
    with pytest.raises(UsageError, match="expected exact, auto, or a number"):
        parse_rank(text)


def test_apply_takes_deltas_without_a_store(folders: dict[str, Path]) -> None:
    deltas = [read_peft(folders["a"]), read_peft(folders["b"])]
    result = apply(method_of("linear"), deltas, [1.0, -1.0], rank="exact")
    assert distance(dense(result.delta), summed((folders["a"], 1), (folders["b"], -1))) < 1e-6
