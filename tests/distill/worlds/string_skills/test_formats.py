"""How the final list is written down."""

import pytest
from skillweave.distill.worlds.string_skills.formats import FORMATS

WRITTEN = {
    "plain": "b c d",
    "commas": "b, c, d",
    "dashes": "b - c - d",
    "bars": "b | c | d",
    "slashes": "b / c / d",
    "pluses": "b + c + d",
    "brackets": "[ b c d ]",
    "stars": "* b c d *",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_list_of_three_is_written_as_worked_by_hand(name: str) -> None:
    assert FORMATS[name].write(("b", "c", "d")) == WRITTEN[name]


def test_the_table_is_complete_and_wordings_name_one_format() -> None:
    assert set(WRITTEN) == set(FORMATS)
    wordings = [wording for row in FORMATS.values() for wording in row.wordings]
    assert len(wordings) == len(set(wordings))
