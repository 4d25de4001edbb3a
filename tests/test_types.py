"""mypy sees the package: the trap is a checker that reports success on code it never read."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

PLANTED = '''"""Uses another room's type wrongly; seen only where the other room is seen."""

from ..adapters.errors import SkillweaveError

number: int = SkillweaveError("text")
'''


def make_types(root: Path) -> subprocess.CompletedProcess[str]:
    """`make types` on the two rooms of a small tree, with this environment."""
    command = ["make", "types", "NO_SETUP=1", f"PY={sys.executable}", "ROOMS=adapters router"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_make_types_finds_a_planted_error_across_rooms(repository: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "adapters/errors.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((repository / name).read_text())
    (tmp_path / "adapters/__init__.py").touch()
    (tmp_path / "router").mkdir()
    (tmp_path / "router/__init__.py").touch()

    sound = make_types(tmp_path)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    (tmp_path / "router/planted.py").write_text(PLANTED)
    broken = make_types(tmp_path)

    assert broken.returncode != 0
    assert "planted.py:5: error" in broken.stdout
    assert 'has type "SkillweaveError", variable has type "int"' in broken.stdout


def test_every_module_with_tensor_shapes_is_checked_under_pytest(repository: Path) -> None:
    tool = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    (option,) = [o for o in tool["pytest"]["ini_options"]["addopts"] if "jaxtyping" in o]
    *listed, checker = option.split("=")[1].split(",")
    assert checker == "beartype.beartype"
    for room in ("adapters", "router", "distill", "server"):
        for path in sorted((repository / room).rglob("*.py")):
            module = ".".join(("skillweave", *path.relative_to(repository).with_suffix("").parts))
            if imports_jaxtyping(path):
                assert any(module == m or module.startswith(f"{m}.") for m in listed), module


def imports_jaxtyping(path: Path) -> bool:
    """Whether a file takes anything from jaxtyping."""
    nodes = ast.walk(ast.parse(path.read_text(), str(path)))
    return any(isinstance(n, ast.ImportFrom) and n.module == "jaxtyping" for n in nodes)
