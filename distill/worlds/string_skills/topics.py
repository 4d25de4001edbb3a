"""Trigger topics: the situations in which a skill of the string world applies. Pure.

A topic says nothing about any procedure. `told` words may stand in a skill's description and in
requests; `untold` words stand in requests only, the last two of them in test requests only.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """`slug` names the skill; `told` and `untold` are nouns of the situation."""

    slug: str
    told: tuple[str, ...]
    untold: tuple[str, ...]


def _topic(slug: str, told: str, untold: str) -> Topic:
    return Topic(slug, tuple(told.split()), tuple(untold.split()))


_ROWS = (
    _topic("picnic", "picnic basket meadow outing", "sandwich blanket thermos hamper"),
    _topic("orchestra", "concert orchestra rehearsal violin", "conductor cello trumpet audience"),
    _topic("harbour", "harbour ship cargo dock", "crane anchor ferry sailor"),
    _topic("garden", "garden seed flower soil", "tulip spade greenhouse compost"),
    _topic("kitchen", "kitchen recipe oven meal", "saucepan chef dough spoon"),
    _topic("railway", "railway train station platform", "locomotive carriage ticket timetable"),
    _topic("library", "library book shelf reader", "novel librarian chapter bookmark"),
    _topic("hospital", "hospital patient ward nurse", "doctor bandage surgery clinic"),
    _topic("theatre", "theatre stage actor play", "curtain costume drama spotlight"),
    _topic("mountain", "mountain hike summit trail", "glacier climber rope ridge"),
    _topic("laundry", "laundry shirt washing iron", "detergent towel sock hanger"),
    _topic("museum", "museum exhibit statue gallery", "curator painting fossil visitor"),
    _topic("bakery", "bakery bread cake flour", "baguette pastry yeast croissant"),
    _topic("airport", "airport plane luggage gate", "pilot runway boarding suitcase"),
    _topic("school", "school lesson pupil classroom", "teacher homework exam blackboard"),
    _topic("wedding", "wedding bride guest ring", "bouquet groom toast veil"),
    _topic("farm", "farm tractor harvest barn", "cow wheat hay farmer"),
    _topic("workshop", "workshop hammer nail tool", "screwdriver carpenter drill plank"),
    _topic("market", "market stall vendor price", "bargain customer fruit coin"),
    _topic("football", "football match goal referee", "striker penalty stadium whistle"),
    _topic("camping", "camping tent campfire forest", "backpack lantern compass mosquito"),
    _topic("aquarium", "aquarium fish tank coral", "shark seahorse snorkel reef"),
    _topic("winter", "winter snow sledge ice", "scarf skates icicle blizzard"),
    _topic("circus", "circus clown acrobat tent", "juggler trapeze lion ringmaster"),
)

TOPICS: dict[str, Topic] = {row.slug: row for row in _ROWS}
