"""Classes of entities that codes are given to, and the codes' symbols. Pure.

Every entity is one word, of one class only, so tables of two classes never speak of the same
thing. To add a class, add a row of at least eight words that the tokenizer knows; its name says
what the table is about and stands in no request.
"""

from ..string_skills.primitives import ALPHABET, Symbols

DIGITS: Symbols = tuple("0123456789")
PATTERNS = ("ld", "dl", "ll", "ldl", "lld", "dll", "ldd", "dld", "ddl", "lll")
"""Codes as letters and digits: two or three symbols, none twice in one code."""

CLASSES: dict[str, tuple[str, ...]] = {
    name: tuple(words.split())
    for name, words in {
        "animal": "cat dog horse bird wolf bear fox owl frog cow lion shark",
        "color": "red green blue yellow black white orange purple brown grey pink",
        "cargo": "gold silver iron copper tin zinc glass cloth coral",
        "dish": "mug cup plate bowl pan pot knife fork spoon spatula",
        "meal": "apple bread tomato lettuce potato egg butter salt cake sandwich",
        "room": "cabinet drawer sofa armchair bed desk dresser shelf lamp",
        "laundry": "shirt towel sock scarf veil costume curtain blanket",
        "tool": "hammer nail screwdriver drill spade rope crane compass lantern",
        "city": "library museum school hospital theatre bakery airport market harbour",
        "friend": "doctor nurse chef teacher pilot farmer sailor librarian conductor clown juggler",
        "station": "train ship plane ferry locomotive tractor carriage sledge cart",
        "book": "novel newspaper ticket timetable pen pencil bookmark chapter",
        "kitchen": "phone laptop clock toaster microwave fridge kettle stove",
    }.items()
}

CLASS_OF: dict[str, str] = {entity: name for name, words in CLASSES.items() for entity in words}


def is_code(code: Symbols) -> bool:
    """Whether `code` is two or three different symbols of this world."""
    known = all(symbol in ALPHABET or symbol in DIGITS for symbol in code)
    return known and 2 <= len(code) <= 3 and len(set(code)) == len(code)
