"""The page in a real browser: every view, by keyboard, by its accessibility tree, hostile words.

The checks themselves stand in `scripts/exams/page_views.py` and `page_access.py`: the exam runs
them on a real engine.
"""

import asyncio
from functools import partial
from typing import Any

import pytest
from skillweave.scripts.exams.page_access import ACCESS
from skillweave.scripts.exams.page_engine import engine_ends
from skillweave.scripts.exams.page_views import VIEWS, faults_of, with_a_key

CHECKS = {**VIEWS, **ACCESS}
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CHECKS)
def test_the_page(browser: Any, place: Any, name: str) -> None:
    assert browser.run(partial(faults_of, CHECKS[name], place=place)) == []


def test_a_server_with_keys_shows_what_a_key_opens(browser: Any, locked: Any) -> None:
    check = with_a_key(locked.token)
    assert browser.run(partial(faults_of, check, place=locked.place)) == []


def test_an_engine_that_is_gone_is_shown_and_then_one_that_is_back(
    browser: Any, place: Any, house: Any
) -> None:
    """The last one with this server: it ends the engine that all others use."""
    check = engine_ends(house.pids[-1])
    assert browser.run(partial(faults_of, check, place=place)) == []


def test_the_browser_leaves_the_event_loop_of_this_thread_alone(browser: Any) -> None:
    asyncio.run(asyncio.sleep(0))
