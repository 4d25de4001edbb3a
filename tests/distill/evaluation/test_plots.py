"""Pictures and LaTeX of the figures: well-formed, escaped, every row there."""

from xml.etree import ElementTree

from skillweave.distill.evaluation import (
    ArmSummary,
    Comparison,
    Discordant,
    Tokens,
    arms_tex,
    comparisons_csv,
    comparisons_tex,
)
from skillweave.distill.evaluation.plots import arms_svg, comparisons_svg

ARMS = [ArmSummary("a_1 <50 %", 0.5, (0.4, 0.6), 10, Tokens(3, 4)),
        ArmSummary("b", 1.0, (1.0, 1.0), 10, Tokens(3, 4))]  # fmt: skip
PAIRS = [Comparison("a", "b", -0.5, (-0.6, -0.4), Discordant(0, 5), 10, 0.0625, 0.01, 0.02)]


def test_a_picture_is_a_file_of_its_own_with_every_row() -> None:
    for text, rows in ((arms_svg(ARMS), 2), (comparisons_svg(PAIRS), 1)):
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert sum(part.tag.endswith("circle") for part in root.iter()) == rows
    assert "a_1 &lt;50 %" in arms_svg(ARMS)


def test_latex_escapes_what_it_would_read_as_a_command() -> None:
    text = arms_tex(ARMS)
    assert r"a\_1 <50 \% & 50.0 & 40.0 to 60.0 & 10 & 0 & 3.0 & 4.0 \\" in text
    assert text.splitlines()[0] == r"\begin{tabular}{lrrrrrr}"
    assert text.count(r"\\") == 3
    assert r"a minus b & -50.0 & -60.0 to -40.0 & 0 & 5 \\" in comparisons_tex(PAIRS)


def test_the_csv_carries_both_p_values() -> None:
    assert comparisons_csv(PAIRS).splitlines()[1].endswith(",10,0.01,0.02")
