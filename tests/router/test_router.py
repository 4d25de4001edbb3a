"""Fitting, abstaining, adding, removing, saving and loading."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skillweave.adapters.base.identity import identify_base
from skillweave.router import (
    DevState,
    Message,
    RoutedSkill,
    Router,
    RouterError,
    Selector,
    StaleRouter,
    State,
)

BASE = "b" * 64


def ask(text: str) -> State:
    return State((Message("user", text),))


@pytest.fixture
def router(skills: list[RoutedSkill], dev: list[DevState]) -> Router:
    return Router.fit(skills, dev, base=BASE)


def chosen(router: Router, text: str) -> str | None:
    route = router.route(ask(text))
    return route.choice[0].skill if route.choice else None


def test_a_router_is_a_selector(router: Router) -> None:
    assert isinstance(router, Selector)


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("for the meadow: l k j", "picnic-list"),
        ("the crane is waiting: a b", "harbour-list"),  # words seen, frame never seen
        ("TULIP list: h g", "garden-list"),
        ("tell me about the weather", None),
        ("", None),
    ],
)
def test_states_go_to_their_skill_or_to_none(router: Router, text: str, skill: str | None) -> None:
    assert chosen(router, text) == skill


def test_a_route_names_form_and_all_scores(router: Router) -> None:
    route = router.route(ask("for the basket: a"))
    assert route.choice[0].form == "adapter"
    assert set(route.scores) == {"picnic-list", "harbour-list", "garden-list"}
    assert router.top(ask("for the basket: a"), 1)[0] == (
        "picnic-list",
        pytest.approx(route.scores["picnic-list"]),
    )


def test_the_better_candidate_on_dev_is_behind_auto(router: Router) -> None:
    # half of the dev words stand in no description, so prototypes must win
    assert router.auto == "prototypes/ngrams"
    assert router.dev[router.auto].accuracy == 1.0
    assert router.dev["description/ngrams"].accuracy < 1.0
    assert router.dev[router.auto].accuracy == max(f.accuracy for f in router.dev.values())


def test_a_skill_without_requests_is_routed_by_its_description(router: Router) -> None:
    more = router.add(RoutedSkill("museum-list", "Use for the museum, a statue or a painting."))
    assert chosen(more, "a painting and a statue for the museum") == "museum-list"
    assert more.route(ask("a painting and a statue for the museum")).choice[0].form == "text"


def test_adding_and_removing_leaves_the_scores_of_the_rest_alone(router: Router) -> None:
    before = router.route(ask("for the ship: k")).scores
    more = router.add(RoutedSkill("museum-list", "Use for the museum."))
    after = more.route(ask("for the ship: k")).scores
    assert {name: after[name] for name in before} == pytest.approx(dict(before))
    back = more.remove("museum-list")
    assert back.route(ask("for the ship: k")).scores == pytest.approx(dict(before))


def test_a_removed_skill_is_never_chosen(router: Router) -> None:
    assert chosen(router.remove("garden-list"), "for the tulip: a") != "garden-list"


def test_removing_every_skill_leaves_a_router_that_abstains(router: Router) -> None:
    for skill in router.skills:
        router = router.remove(skill.name)
    assert chosen(router, "for the tulip: a") is None


def test_adding_twice_or_removing_the_unknown_is_refused(router: Router) -> None:
    with pytest.raises(RouterError, match="in this router already"):
        router.add(router.skills[0])
    with pytest.raises(RouterError, match=r"no skill 'zoo'.*garden-list, harbour-list"):
        router.remove("zoo")


def test_a_router_round_trips_through_its_folder(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path / "r")
    again = Router.load(tmp_path / "r", base=BASE, digests=router.digests)
    for text in ("for the meadow: l k j", "what is this", "ship"):
        assert again.route(ask(text)) == router.route(ask(text))
    assert again.dev == router.dev
    assert (again.auto, again.base, again.seed) == (router.auto, router.base, router.seed)
    assert again.digests == router.digests


def test_a_loaded_router_can_be_changed_and_saved_again(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path / "r")
    changed = Router.load(tmp_path / "r").remove("garden-list")
    changed.save(tmp_path / "r")
    assert set(Router.load(tmp_path / "r").digests) == {"picnic-list", "harbour-list"}
    assert len(list((tmp_path / "r").iterdir())) == 2  # the old arrays are gone


def test_the_folder_holds_json_and_arrays_but_no_pickle(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path)
    (arrays,) = tmp_path.glob("*.npz")
    with np.load(arrays, allow_pickle=False) as loaded:
        assert "feature/ngrams/idf" in loaded.files
        assert {loaded[name].dtype for name in loaded.files} == {np.dtype(np.float32)}
    assert json.loads((tmp_path / "router.json").read_text())["base"] == BASE


def test_fitting_is_a_function_of_its_input_and_seed(
    skills: list[RoutedSkill], dev: list[DevState], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        Router.fit(skills, dev, base=BASE, seed=3).save(tmp_path / name)
    one, two = ((tmp_path / name / "router.json").read_text() for name in ("one", "two"))
    assert one == two  # holds the digest of the arrays, too


def test_another_base_or_changed_skills_are_named(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path)
    with pytest.raises(StaleRouter, match=r"fitted for base bbbb.*fit it again"):
        Router.load(tmp_path, base="c" * 64)
    now = {**router.digests, "zoo-list": "new", "picnic-list": "other"}
    del now["garden-list"]
    with pytest.raises(
        StaleRouter, match="added: zoo-list; removed: garden-list; changed: picnic-list"
    ):
        Router.load(tmp_path, digests=now)


def test_files_that_were_changed_are_refused(router: Router, tmp_path: Path) -> None:
    with pytest.raises(RouterError, match="does not exist"):
        Router.load(tmp_path)
    router.save(tmp_path)
    (arrays,) = tmp_path.glob("*.npz")
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"x")
    with pytest.raises(RouterError, match="the file was changed"):
        Router.load(tmp_path)
    arrays.unlink()
    with pytest.raises(RouterError, match=r"is missing beside router\.json"):
        Router.load(tmp_path)
    (tmp_path / "router.json").write_text('{"format": 2}')
    with pytest.raises(RouterError, match="no router that this version reads"):
        Router.load(tmp_path)


def test_a_name_cannot_lead_out_of_the_folder(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path / "r")
    document = json.loads((tmp_path / "r" / "router.json").read_text())
    document["arrays"] = "../" + document["arrays"]
    (tmp_path / "r" / "router.json").write_text(json.dumps(document))
    assert Router.load(tmp_path / "r").auto == router.auto  # still the file beside router.json


def test_with_a_base_the_embedding_is_a_candidate_and_is_not_saved(
    skills: list[RoutedSkill],
    dev: list[DevState],
    make_base: Callable[..., Path],
    tmp_path: Path,
) -> None:
    base_dir = make_base()
    base = identify_base(base_dir).family_digest
    router = Router.fit(skills, dev, base=base, base_dir=base_dir)
    assert set(router.dev) == {
        f"{rule}/{feature}"
        for rule in ("prototypes", "description")
        for feature in ("ngrams", "embedding")
    }
    by_embedding = Router(**{**vars(router), "auto": "prototypes/embedding"})
    by_embedding.save(tmp_path / "r")
    again = Router.load(tmp_path / "r")
    assert again.route(ask("ship list: a")) == by_embedding.route(ask("ship list: a"))
    assert again.route(ask("ship list: a")).choice[0].skill == "harbour-list"
    elsewhere = base_dir.rename(tmp_path / "moved")
    with pytest.raises(RouterError, match="pass base_dir"):
        Router.load(tmp_path / "r")
    assert Router.load(tmp_path / "r", base_dir=elsewhere).auto == "prototypes/embedding"
    with pytest.raises(StaleRouter, match="fit it again"):
        Router.load(tmp_path / "r", base_dir=make_base("other", seed=1))


def test_without_the_base_a_router_on_ngrams_still_loads(
    skills: list[RoutedSkill],
    dev: list[DevState],
    make_base: Callable[..., Path],
    tmp_path: Path,
) -> None:
    base_dir = make_base()
    router = Router.fit(skills, dev, base=BASE, base_dir=base_dir)
    by_ngrams = Router(**{**vars(router), "auto": "prototypes/ngrams"})
    by_ngrams.save(tmp_path / "r")
    base_dir.rename(tmp_path / "gone")
    again = Router.load(tmp_path / "r")
    assert set(again.candidates) == {"prototypes/ngrams", "description/ngrams"}
    again.save(tmp_path / "r")  # what was left out is not asked for
    assert Router.load(tmp_path / "r").auto == "prototypes/ngrams"


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        ([], ["picnic-list", None], "at least one skill"),
        (["picnic-list", "picnic-list"], ["picnic-list", None], "given twice"),
        (["picnic-list"], ["zoo-list", None], "'zoo-list', which is no skill"),
        (["picnic-list"], ["picnic-list"], "abstention needs both"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    names: list[str], labels: list[str | None], said: str
) -> None:
    skills = [RoutedSkill(name, "Use for the picnic.") for name in names]
    with pytest.raises(RouterError, match=said):
        Router.fit(skills, [DevState(ask("x"), label) for label in labels], base=BASE)


def test_a_router_of_one_skill_still_abstains() -> None:
    router = Router.fit(
        [RoutedSkill("picnic-list", "Use for the picnic.", ("for the picnic: a b", "picnic: c"))],
        [DevState(ask("the picnic: b"), "picnic-list"), DevState(ask("good morning"), None)],
        base=BASE,
    )
    assert chosen(router, "our picnic: c a") == "picnic-list"
    assert chosen(router, "hello out there") is None
