"""Reports: one model, one HTML page, one terminal view. See README.md in this folder."""

from .build import (
    arm_rows,
    bar_rows,
    break_even,
    comparison_rows,
    confusion,
    harm_row,
    worked_example,
)
from .model import (
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
    write_report,
)
from .render import render_html
from .terminal import render_terminal

__all__ = [
    "ArmRow",
    "Bar",
    "BreakEven",
    "ComparisonRow",
    "CostBlock",
    "CostRow",
    "Example",
    "ExampleAnswer",
    "HarmRow",
    "NumericBlock",
    "NumericRow",
    "Provenance",
    "Report",
    "RouterBlock",
    "SkillRow",
    "arm_rows",
    "bar_rows",
    "break_even",
    "comparison_rows",
    "confusion",
    "harm_row",
    "render_html",
    "render_terminal",
    "worked_example",
    "write_report",
]
