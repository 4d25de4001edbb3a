"""The README.md of an adapter on a hub: a YAML block for machines, the rest for people. Pure.

Written from the card and the evidence; nothing is claimed that is in neither. YAML scalars are
written as JSON, which YAML reads. Refuses to own what is uploaded (`push.py`).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..card import Card

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
Document = Mapping[str, object]


@dataclass(frozen=True)
class About:
    """What the card itself does not say.

    `repo_id` is where it is published, `ref` how the publisher's store calls it, `licence` None
    where it is private and nothing is stated; `has_skill`: a skill folder goes along.
    """

    repo_id: str
    ref: str
    version_digest: str
    weights_digest: str
    licence: str | None
    has_skill: bool


def model_card(card: Card, about: About, evidence: Sequence[Document] = ()) -> str:
    """The whole README.md.

    Args:
        evidence: attestations, oldest first; those that hold means become a table.
    """
    title = card.skill_name or about.repo_id.partition("/")[2]
    parts = [
        _yaml(card, about),
        f"# {_line(title)}\n",
        (_line(card.description) + "\n") if card.description else "",
        _what_it_is(card, about),
        _how_to_use(card, about),
        _evaluation(evidence),
        _parents(card),
        _frame(card),
        _identity(card, about),
    ]
    return "\n".join(part for part in parts if part)


def _yaml(card: Card, about: About) -> str:
    tags = ["lora", "skillweave", card.kind]
    if card.skill_name:
        tags.append(f"skill:{card.skill_name}")
    fields: dict[str, object] = {
        "library_name": "peft",
        "base_model": card.base.name if _HUB_NAME.fullmatch(card.base.name) else None,
        "base_model_relation": "adapter",
        "pipeline_tag": "text-generation",
        "license": about.licence,
        "tags": tags,
    }
    lines = [f"{k}: {_json(v)}" for k, v in fields.items() if v is not None]
    return "\n".join(["---", *lines, "---", ""])


def _what_it_is(card: Card, about: About) -> str:
    made = f"made by the recipe `{card.recipe.name}`" if card.recipe else "imported"
    said = " (asserted by its importer)" if card.base.asserted else ""
    name = card.base.name or card.base.architecture or "a base without a name"
    return (
        "## What it is\n\n"
        f"A LoRA adapter of kind `{card.kind}` for `{_line(name)}`{said}, {made} with skillweave. "
        "The folder is what PEFT writes, unchanged; `card.json` says how it came to be"
        + (", `skill/` holds the skill's own files" if about.has_skill else "")
        + ".\n"
    )


def _how_to_use(card: Card, about: About) -> str:
    base = card.base.name or "path/to/base"
    name = about.ref.partition("@")[0]
    return f"""## How to use it

With PEFT:
```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained({_json(base)})
model = PeftModel.from_pretrained(base, {_json(about.repo_id)})
```

With vLLM:
```bash
hf download {about.repo_id} --local-dir adapter
vllm serve {_line(base)} --enable-lora --lora-modules {name}=adapter
```

With skillweave, which examines it first and serves it by name:
```bash
skillweave pull {about.repo_id}
skillweave serve
```
"""


def _evaluation(evidence: Sequence[Document]) -> str:
    rows = [row for document in evidence for row in _rows(document)]
    if not rows:
        return "## Evaluation\n\nNo evidence was attested for this version.\n"
    head = "| requests | arm | mean | n | reported by |\n|---|---|---|---|---|\n"
    body = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"## Evaluation\n\n{head}{body}\nThe documents are in `attestations/`.\n"


def _rows(document: Document) -> Iterable[tuple[str, ...]]:
    inner = document.get("evidence")
    if document.get("type") == "imported" and isinstance(inner, dict):
        source = document.get("from")
        repo = source.get("repo") if isinstance(source, dict) else None
        for row in _rows(inner):
            yield (*row[:-1], _cell(repo or "an earlier publisher"))
        return
    means = document.get("means")
    if not isinstance(means, dict):
        return
    split, n = document.get("split", ""), document.get("n", "")
    for arm, mean in means.items():
        if isinstance(mean, int | float) and not isinstance(mean, bool):
            yield _cell(split), _cell(arm), f"{mean:.3f}", _cell(n), "the publisher"


def _parents(card: Card) -> str:
    if not card.parents:
        return ""
    rows = "".join(
        f"| {_cell(p.ref or '-')} | {p.weight:g} | `{p.version_digest}` |\n" for p in card.parents
    )
    return f"## Parents\n\n| adapter | weight | version digest |\n|---|---|---|\n{rows}"


def _frame(card: Card) -> str:
    frame = card.frame
    if frame.system is None and not frame.tools and not frame.template_args:
        return ""
    found = frame.model_dump(mode="json")
    text = json.dumps(found, indent=1, ensure_ascii=False).replace("```", "` ` `")
    head = "## Training frame\n\nIt was trained, and is meant to be used, with:"
    return f"{head}\n```json\n{text}\n```\n"


def _identity(card: Card, about: About) -> str:
    rows = {
        "version digest": about.version_digest,
        "weights digest": about.weights_digest,
        "base family digest": card.base.family_digest,
        "base precision": card.base.precision,
        "tokenizer digest": card.base.tokenizer_digest,
        "chat template digest": card.base.template_digest,
        "code revision": card.code_revision or "",
        "seed": "" if card.seed is None else str(card.seed),
    }
    body = "".join(f"| {what} | `{_cell(value)}` |\n" for what, value in rows.items() if value)
    return f"## Identity\n\n| | |\n|---|---|\n{body}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(value: object) -> str:
    return _line(str(value)).replace("|", "\\|")[:200]
