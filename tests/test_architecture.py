"""The table of design: which room may import which, who may touch which foreign library, what is
pure. Read from the source with `ast`; nothing is imported, so a lazy import counts as well.
"""

import ast
import graphlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ARROWS = {  # room -> rooms it may import
    "adapters": set(),
    "router": {"adapters"},
    "distill": {"adapters", "router"},
    "server": {"adapters", "router"},
    "scripts": {"adapters", "router", "distill", "server"},
}
FOREIGN = {  # library -> files that may import it
    "vllm": ("server/engines/*", "server/vllm_plugin/*"),
    "peft": ("adapters/peft_folder/deltas.py", "distill/*", "scripts/bench/peft_*.py"),
    "peft.": (
        "adapters/peft_folder/deltas.py",
        "scripts/bench/peft_side.py",
    ),  # submodules are internals
    "huggingface_hub": ("adapters/hub/client*.py", "scripts/bench/store.py"),
    "matplotlib": ("adapters/analysis/draw.py",),
    "playwright": ("scripts/exams/page*.py",),
    "reasoning_gym": ("distill/worlds/reasoning/gym.py",),
    "trl": (),
}
PURE = (  # files, or folders of files, that compute and touch nothing
    "adapters/errors.py",
    "adapters/names.py",
    "adapters/expr.py",
    "adapters/digests.py",
    "adapters/delta.py",
    "adapters/limits.py",
    "adapters/card.py",
    "adapters/text.py",
    "adapters/peft_folder/pattern_syntax.py",
    "adapters/peft_folder/patterns.py",
    "adapters/peft_folder/pattern_table.py",
    "adapters/peft_folder/config_keys.py",
    "adapters/peft_folder/findings.py",
    "adapters/gate/codes.py",
    "adapters/hub/model_card.py",
    "adapters/hub/types.py",
    "adapters/licences.py",
    "adapters/algebra/*",
    "adapters/analysis/lineage.py",
    "adapters/analysis/similarity.py",
    "adapters/analysis/spectrum.py",
    "adapters/compose/apply.py",
    "adapters/compose/methods.py",
    "router/types.py",
    "router/scores.py",
    "router/errors.py",
    "server/gateway/errors.py",
    "server/gateway/relay/kinds.py",
    "server/gateway/relay/control.py",
    "server/gateway/relay/names.py",
    "server/gateway/relay/usage_wire.py",
    "server/gateway/ui/evidence.py",
    "server/gateway/ui/recent.py",
    "server/gateway/admission/affinity.py",
    "server/gateway/admission/fair.py",
    "server/gateway/admission/pace.py",
    "server/gateway/admission/schedule.py",
    "server/gateway/pool/health.py",
    "distill/bank/fit.py",
    "distill/bank/gates.py",
    "distill/bank/leakage.py",
    "distill/bank/state.py",
    "distill/bank/types.py",
    "distill/bank/utility.py",
    "distill/curricula/*",
    "distill/evaluation/clauses.py",
    "distill/evaluation/types.py",
    "distill/teachers/answers.py",
    "distill/teachers/errors.py",
    "distill/teachers/roles.py",
    "distill/evaluation/errors.py",
    "distill/evaluation/controls.py",
    "distill/evaluation/judges.py",
    "distill/evaluation/lifecycle.py",
    "distill/evaluation/multiplicity.py",
    "distill/evaluation/planted.py",
    "distill/evaluation/resampling.py",
    "distill/evaluation/samples.py",
    "distill/evaluation/stats.py",
    "distill/learning/advantages.py",
    "distill/learning/losses.py",
    "distill/learning/schedule.py",
    "distill/learning/settings.py",
    "distill/evaluation/student.py",
    "scripts/commands/shares.py",
    "distill/rubric.py",
    "distill/rl/credit.py",
    "distill/rl/groups.py",
    "distill/rl/learned.py",
    "distill/rl/mismatch.py",
    "distill/rl/objective.py",
    "distill/rl/plain.py",
    "distill/rl/seams.py",
    "distill/rl/settings.py",
    "distill/rl/tasks.py",
    "distill/rl/terms.py",
    "distill/rollouts/drawing.py",
    "distill/rollouts/prefixes.py",
    "distill/rollouts/sampling.py",
    "distill/rollouts/seeds.py",
    "distill/rollouts/trajectory.py",
    "distill/rollouts/trajectory_json.py",
    "distill/rollouts/learnable.py",
    "distill/skill_documents/document.py",
    "distill/skill_documents/layers.py",
    "distill/skill_documents/layouts.py",
    "distill/skill_documents/matched.py",
    "distill/skill_documents/phrases.py",
    "distill/skill_documents/reader.py",
    "distill/skill_documents/report.py",
    "distill/skill_documents/uptake.py",
    "distill/worlds/types.py",
    "distill/worlds/facts/classes.py",
    "distill/worlds/facts/manipulations.py",
    "distill/worlds/constraints/predicates.py",
    "distill/worlds/constraints/solve.py",
    "distill/worlds/constraints/spec.py",
    "distill/worlds/constraints/split.py",
    "distill/worlds/household/nouns.py",
    "distill/worlds/household/state.py",
    "distill/worlds/household/goals.py",
    "distill/worlds/household/replies.py",
    "distill/worlds/reasoning/faces.py",
    "distill/worlds/string_skills/primitives.py",
    "distill/worlds/string_skills/formats.py",
    "distill/worlds/string_skills/topics.py",
    "server/supervision/backoff.py",
    "server/gateway/telemetry/labels.py",
    "server/vllm_plugin/factors.py",
    "server/vllm_plugin/groups.py",
)
PURE_MAY_IMPORT = """
    __future__ collections dataclasses decimal enum fractions functools hashlib itertools jaxtyping
    json math numpy pydantic re statistics string struct torch typing unicodedata
""".split()


def sources(root: Path) -> dict[str, ast.Module]:
    """'adapters/names.py' -> its syntax tree, for every file of every room."""
    files = [path for room in ARROWS for path in sorted((root / room).rglob("*.py"))]
    return {str(path.relative_to(root)): ast.parse(path.read_text(), str(path)) for path in files}


def imports(file: str, tree: ast.Module, known: set[str]) -> Iterator[tuple[str, int]]:
    """Absolute dotted names a file imports, with lines; ours as 'skillweave.room.module'."""
    package = ["skillweave", *Path(file).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:  # `from . import x` may name a module or a value
                deeper = f"{base}.{alias.name}"
                yield (deeper if as_file(deeper, known) else base), node.lineno


def as_file(name: str, known: set[str]) -> str | None:
    """The file behind 'skillweave.a.b', if it is one of ours."""
    path = "/".join(name.split(".")[1:])
    candidates = (f"{path}.py", f"{path}/__init__.py") if name.startswith("skillweave.") else ()
    return next((file for file in candidates if file in known), None)


def for_types(tree: ast.Module, line: int) -> bool:
    """Whether a line stands under `if TYPE_CHECKING:`, where a circle does no harm."""
    blocks = [
        n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    ]
    return any(n.body[0].lineno <= line <= (n.body[-1].end_lineno or 0) for n in blocks)


def violations(root: Path) -> list[str]:
    """Every broken rule as 'file:line: what'; empty where the house stands."""
    trees = sources(root)
    known = set(trees)
    found = []
    graph: dict[str, set[str]] = {file: set() for file in trees}
    for file, tree in trees.items():
        for name, line in imports(file, tree, known):
            found += [f"{file}:{line}: {what}" for what in broken_rules(file, name, known)]
            target = as_file(name, known)
            if target is not None and target != file and not for_types(tree, line):
                graph[file].add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append("circle: " + " <- ".join(error.args[1]))
    return found


def broken_rules(file: str, name: str, known: set[str]) -> Iterator[str]:
    """The rules that one import in one file breaks."""
    room, top = file.split("/")[0], name.split(".")[0]
    if top in ARROWS:
        yield f"bare import of {name}; write a relative import"
    if top == "skillweave":
        other = name.split(".")[1] if "." in name else "?"
        if other != room and other not in ARROWS[room]:
            yield f"{room} may not import {other}"
    for library, files in FOREIGN.items():
        hit = name.startswith(library) if library.endswith(".") else top == library
        if hit and not any(fnmatch(file, pattern) for pattern in files):
            yield f"{name} may be imported only by {', '.join(files) or 'nobody'}"
    if is_pure(file):
        ours = as_file(name, known)
        if not (is_pure(ours) if ours else top in PURE_MAY_IMPORT):
            yield f"pure, but imports {name}"


def is_pure(file: str) -> bool:
    """Whether the table calls a file pure."""
    return any(fnmatch(file, pattern) for pattern in PURE)


def test_the_house_stands(repository: Path) -> None:
    assert violations(repository) == []


def test_every_file_called_pure_exists(repository: Path) -> None:
    files = sources(repository)
    exact = {entry for entry in PURE if "*" not in entry}
    assert exact <= set(files)


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("adapters/a.py", "from ..router import b", "adapters may not import router"),
        ("router/a.py", "import skillweave.server", "router may not import server"),
        ("distill/a.py", "def f():\n    from ..server.x import y", "distill may not import server"),
        ("server/a.py", "from ..distill import x", "server may not import distill"),
        ("server/a.py", "from ..scripts.cli import main", "server may not import scripts"),
        ("router/a.py", "import adapters", "bare import of adapters"),
        ("server/gateway/a.py", "import vllm.envs", "vllm.envs may be imported only by"),
        ("server/a.py", "from peft import LoraConfig", "peft may be imported only by"),
        ("distill/a.py", "from peft.utils import x", "peft.utils may be imported only by"),
        ("distill/a.py", "import trl", "trl may be imported only by nobody"),
        ("adapters/names.py", "import os", "pure, but imports os"),
        ("adapters/names.py", "from .store import Store", "pure, but imports skillweave.adapters"),
        ("adapters/store.py", "from . import names", "circle: "),
        ("adapters/store.py", "from .names import x", "circle: "),
    ],
)
def test_a_planted_violation_is_found(
    tmp_path: Path, file: str, source: str, complaint: str
) -> None:
    tree = {
        "adapters/names.py": "from . import store" if "circle" in complaint else "import re",
        "adapters/store.py": "from .names import x" if "circle" not in complaint else "",
        "router/b.py": "from ..adapters.names import x",
    }
    for path, text in (tree | {file: source}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert any(complaint in found for found in violations(tmp_path)), violations(tmp_path)


def test_allowed_imports_are_no_violation(tmp_path: Path) -> None:
    allowed = {
        "adapters/names.py": "import re\nfrom collections.abc import Mapping",
        "adapters/peft_folder/deltas.py": "from peft.utils import x\nfrom .. import names",
        "router/b.py": "from ..adapters.names import x",
        "router/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import d",
        "router/d.py": "from .c import x",
        "server/engines/e.py": "import vllm\nfrom ...adapters import names",
        "distill/lora.py": "from peft import LoraConfig\nfrom ..router.b import x",
        "scripts/cli.py": "from ..server.engines import e\nfrom ..distill import lora",
    }
    for path, text in allowed.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert violations(tmp_path) == []
