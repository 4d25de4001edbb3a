"""The steps of an engine's health, by hand."""

from skillweave.server.gateway.pool.health import Event, Health, Standing, backoff_s, step


def after(*events: Event) -> Health:
    health = Health()
    for event in events:
        health = step(health, event, 100.0)
    return health


def test_one_failure_makes_suspect_and_an_answer_clears_it() -> None:
    assert after(Event.BROKE_OFF).standing is Standing.SUSPECT
    assert after(Event.BROKE_OFF, Event.ANSWERED).standing is Standing.UP
    assert after(Event.BROKE_OFF, Event.CHECK_PASSED).standing is Standing.UP


def test_three_in_a_row_make_down() -> None:
    assert after(*[Event.CHECK_FAILED] * 3).standing is Standing.DOWN
    spaced = (Event.CHECK_FAILED, Event.CHECK_FAILED, Event.CHECK_PASSED, Event.CHECK_FAILED)
    assert after(*spaced).standing is Standing.SUSPECT


def test_from_down_the_way_up_leads_over_a_trial() -> None:
    down = [Event.CHECK_FAILED] * 3
    assert after(*down, Event.CHECK_PASSED).standing is Standing.TRIAL
    assert after(*down, Event.CHECK_PASSED, Event.CHECK_PASSED).standing is Standing.TRIAL
    assert after(*down, Event.CHECK_PASSED, Event.ANSWERED).standing is Standing.UP
    assert after(*down, Event.CHECK_PASSED, Event.BROKE_OFF).standing is Standing.DOWN


def test_checks_come_at_growing_distances_and_at_once_after_a_broken_request() -> None:
    assert after(Event.BROKE_OFF).next_check == 100.0
    assert [after(*[Event.CHECK_FAILED] * n).next_check - 100 for n in (1, 2, 3)] == [0.5, 1, 2]
    assert backoff_s(100) == 15.0
