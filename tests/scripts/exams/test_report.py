"""The document of an exam: its own keys, the rows, and whether every bar holds."""

import json
from pathlib import Path

import pytest
from skillweave.scripts.bench.rows import Row
from skillweave.scripts.exams.report import revision, write_exam


def test_an_exam_names_revision_machine_and_verdict(tmp_path: Path) -> None:
    rows = [Row("speed", 2.0, 3, op=">=", bar=1.0), Row("seen", 5.0, 1)]
    written = write_exam("store", rows, folder=tmp_path / "exams", kills=500)
    document = json.loads(written.read_text())
    assert written.name == "store.json"
    assert {"exam", "revision", "date", "machine", "holds", "rows", "kills"} == set(document)
    assert (document["exam"], document["holds"], document["kills"]) == ("store", True, 500)
    assert document["rows"][0] == rows[0].document()


@pytest.mark.parametrize(
    "row", [Row("slow", 0.5, 1, op=">=", bar=1.0), Row("x", 1, 1, equal=False)]
)
def test_a_missed_bar_or_an_unequal_result_is_said_at_the_top(tmp_path: Path, row: Row) -> None:
    assert json.loads(write_exam("a", [row], folder=tmp_path).read_text())["holds"] is False


def test_an_extra_key_may_not_hide_one_of_the_document(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="date"):
        write_exam("a", [], folder=tmp_path, date="yesterday")


def test_a_tree_without_git_has_no_revision(tmp_path: Path) -> None:
    assert revision(tmp_path) == "unknown"
