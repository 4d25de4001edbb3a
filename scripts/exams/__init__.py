"""The exams behind `make exam NAME=...`; the table is in `scripts/exam.py`."""
