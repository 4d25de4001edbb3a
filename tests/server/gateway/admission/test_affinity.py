"""Which engine: the nearest, unless it is much busier."""

from skillweave.server.gateway.admission.affinity import Nearness, Option, choose
from skillweave.server.gateway.admission.picker import seed_of


def test_the_engine_with_the_adapter_in_a_slot_is_taken_although_it_is_busier() -> None:
    assert choose([Option(Nearness.HOST, 0), Option(Nearness.SLOT, 4)]) == 1


def test_much_busier_spills_over() -> None:
    assert choose([Option(Nearness.HOST, 0), Option(Nearness.SLOT, 5)]) == 0
    assert choose([Option(Nearness.HOST, 10), Option(Nearness.SLOT, 24)]) == 1
    assert choose([Option(Nearness.HOST, 10), Option(Nearness.SLOT, 25)]) == 0


def test_load_breaks_ties() -> None:
    same = Nearness.SLOT
    assert choose([Option(same, 3), Option(same, 1), Option(same, 2)]) == 1


def test_a_conversation_goes_home_before_anything_else() -> None:
    options = [Option(Nearness.SLOT, 0), Option(Nearness.SESSION, 2)]
    assert choose(options) == 1


def test_an_empty_slot_is_better_than_taking_one_away() -> None:
    assert choose([Option(Nearness.HOST, 0), Option(Nearness.FREE_SLOT, 0)]) == 1


def test_idle_engines_share_the_adapters() -> None:
    engines = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"]
    taken = {
        choose([Option(Nearness.HOST, 0, seed_of(f"skill-{n}", url)) for url in engines])
        for n in range(20)
    }
    assert taken == {0, 1, 2}
