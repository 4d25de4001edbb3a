"""The model card: its YAML is what hubs read, its text says only what card and evidence say."""

from dataclasses import replace

import yaml
from skillweave.adapters.card import Card, Parent, RecipeRecord
from skillweave.adapters.hub.model_card import About, model_card

DIGEST = "ab" * 32
ABOUT = About(
    repo_id="ada/sql",
    ref="sql@3",
    version_digest=DIGEST,
    weights_digest="cd" * 32,
    licence="mit",
    has_skill=True,
)


def header(text: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(text.split("---")[1])
    return found


def test_the_header_is_what_hubs_read(card: Card) -> None:
    named = card.model_copy(
        update={"base": card.base.model_copy(update={"name": "org/base"}), "skill_name": "SQL: a"}
    )
    assert header(model_card(named, ABOUT)) == {
        "library_name": "peft",
        "base_model": "org/base",
        "base_model_relation": "adapter",
        "pipeline_tag": "text-generation",
        "license": "mit",
        "tags": ["lora", "skillweave", "skill", "skill:SQL: a"],
    }


def test_a_licence_that_nobody_stated_and_a_path_are_left_out(card: Card) -> None:
    local = card.model_copy(update={"base": card.base.model_copy(update={"name": "/home/me/base"})})
    found = header(model_card(local, replace(ABOUT, licence=None)))
    assert "license" not in found
    assert "base_model" not in found


def test_what_was_measured_and_what_it_was_made_from(card: Card) -> None:
    made = card.model_copy(
        update={
            "kind": "composed",
            "recipe": RecipeRecord(name="compose"),
            "parents": (Parent(version_digest=DIGEST, weight=-0.25, ref="a@1"),),
        }
    )
    measured = {"means": {"none": 0.0, "s2l": 0.925}, "n": 40, "split": "dev"}
    hearsay = {"type": "imported", "from": {"repo": "bob/x"}, "evidence": {"means": {"a|b": 1.0}}}
    text = model_card(made, ABOUT, [measured, hearsay, {"type": "training"}])
    assert "| dev | s2l | 0.925 | 40 | the publisher |" in text
    assert "|  | a\\|b | 1.000 |  | bob/x |" in text
    assert f"| a@1 | -0.25 | `{DIGEST}` |" in text
    assert f"| base family digest | `{card.base.family_digest}` |" in text
    assert "No evidence was attested" in model_card(card, ABOUT)


def test_the_training_frame_is_shown(card: Card) -> None:
    framed = card.model_copy(
        update={"frame": card.frame.model_copy(update={"system": "Be brief.\n```"})}
    )
    text = model_card(framed, ABOUT)
    assert '"system": "Be brief.\\n` ` `"' in text
    assert "Training frame" not in model_card(card, ABOUT)
