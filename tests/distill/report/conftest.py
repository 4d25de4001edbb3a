"""A small but complete report, shared by the tests of this folder."""

import pytest
from skillweave.distill.report import (
    ArmRow,
    Bar,
    BreakEven,
    ComparisonRow,
    CostBlock,
    CostRow,
    Example,
    ExampleAnswer,
    HarmRow,
    NumericBlock,
    NumericRow,
    Provenance,
    Report,
    RouterBlock,
    SkillRow,
)

SKILLS = ("tidy-list", "mirror-log")


def arm(name: str, mean: float) -> ArmRow:
    return ArmRow(
        name=name,
        about=f"what {name} is",
        mean=mean,
        ci=(max(0.0, mean - 0.02), min(1.0, mean + 0.02)),
        n=1200,
        prompt_tokens=21.5,
        completion_tokens=34,
    )


@pytest.fixture(scope="session")
def sample() -> Report:
    return Report(
        title="Two skills become adapters",
        created="2026-11-22T13:40:00+00:00",
        criterion="The adapter carries the skill.",
        bars=(
            Bar(figure="s2l minus text", bar="above -3 points", seen="+0.8", met="met"),
            Bar(figure="auto minus s2l", bar="within 5 points", seen="-6.1", met="missed"),
            Bar(figure="largest difference", bar="below 1e-4", seen="", met="not measured"),
        ),
        arms=(arm("none", 0.004), arm("text", 0.93), arm("s2l", 0.94)),
        comparisons=(
            ComparisonRow(
                a="s2l",
                b="text",
                diff=0.008,
                ci=(-0.01, 0.02),
                only_a=35,
                only_b=25,
                p_mcnemar=0.245,
                n=1200,
            ),
        ),
        skills=tuple(
            SkillRow(
                skill=name,
                description=f"Handles {name}.",
                means={"none": 0.0, "text": 0.93, "s2l": 0.94},
                n=600,
                demonstrations=256,
                kept=241,
                train_s=21.3,
                adapter=f"{name}@1",
                digest="9f2c4be0a1" * 6,
            )
            for name in SKILLS
        ),
        router=RouterBlock(
            rows=(*SKILLS, "outside every skill"),
            columns=(*SKILLS, "abstained"),
            counts=((161, 8, 31), (5, 166, 29), (7, 0, 53)),
            accuracy=0.8175,
            abstained=0.15,
            out_of_scope_abstained=53 / 60,
            selector="prototypes/ngrams",
            threshold=0.2134,
            dev={"description/ngrams": 0.61, "prototypes/ngrams": 0.985},
            decision_ms=0.31,
        ),
        examples=(
            Example(
                skill="tidy-list",
                skill_text="Sort the symbols.",
                request="From the desk: k d a",
                expected="a d k",
                answers=(
                    ExampleAnswer(arm="none", answer="no idea", passed=False),
                    ExampleAnswer(arm="s2l", answer="final: a d k", passed=True),
                ),
            ),
        ),
        cost=CostBlock(
            rows=tuple(
                CostRow(
                    arm=name,
                    prefix_cache=on,
                    prompt_tokens=88.0,
                    ttft_ms_p50=44.4,
                    ttft_ms_p95=84.0,
                    requests_per_s=42.4,
                )
                for name in ("text", "s2l")
                for on in (True, False)
            ),
            break_even=(
                BreakEven(
                    skill="tidy-list", prefix_cache=True, train_s=21, saved_ms=-0.2, requests=None
                ),
                BreakEven(
                    skill="tidy-list", prefix_cache=False, train_s=21, saved_ms=4.3, requests=4977
                ),
            ),
            concurrency=8,
        ),
        harm=tuple(
            HarmRow(
                adapter=name,
                on="Plain base tasks",
                n=100,
                mean=0.95,
                base_mean=0.97,
                diff=-0.02,
                ci=(-0.05, 0.0),
                only_adapter=1,
                only_base=3,
            )
            for name in SKILLS
        ),
        numeric=NumericBlock(
            bar_max_abs=1e-4,
            bar_wrong_mean_abs=0.1,
            rows=(
                NumericRow(
                    adapter="tidy-list",
                    tokens=2048,
                    max_abs=2.1e-5,
                    mean_abs=1.1e-6,
                    wrong_adapter="mirror-log",
                    wrong_mean_abs=2.437,
                ),
            ),
        ),
        provenance=Provenance(
            base="tiny-base",
            base_digest="sha256:ab12",
            revision="08e26f8",
            command="skillweave demo",
            platform="Linux, 2 cores",
            criterion_digest="cafe",
            versions={"torch": "2.13.0"},
            seeds={"train": 7},
            wall_s={"training": 140.1, "evaluation": 201.2},
        ),
    )
