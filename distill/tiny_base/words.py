"""Word lists of the worlds to come, so that the tokenizer never has to change for them.

Owns only words. The string world's words are read from its own tables; these are for household
episodes, facts, checkable constraints, named functions, skill texts and general glue.
"""

HOUSEHOLD = """
you are in the middle of a room looking around see go to take put from into on open close clean
heat cool use examine look inventory with holding carrying arrive at nothing happens is it task
your find some two and then cabinet drawer fridge microwave sink basin counter countertop shelf
sofa armchair bed desk desklamp lamp toilet bathtub garbage can stove burner dresser safe cart
table side dining coffee machine toaster handtowel holder apple bread tomato lettuce potato egg
mug cup plate bowl pan pot knife fork spoon spatula butter salt pepper shaker soap bar bottle
cloth towel candle box book pen pencil key chain credit card watch statue vase newspaper remote
control pillow laptop phone alarm clock cd glass bottle wine kettle dish sponge spray hot cold
clean dirty open closed empty light turn off on examine under goal done success fail step action
think observation admissible commands available kitchen bedroom bathroom living hallway north
south east west left right
"""

FACTS = """
key code value fact facts lookup table entry entries what which who where when color colour red
green blue yellow black white orange purple brown grey pink number letter symbol city river owner
friend capital planet metal animal cat dog horse bird wolf bear fox owl frog gold silver iron
copper tin zinc recall remember known unknown belongs maps equals stands means answer question
true false yes no none not same different before after
"""

CONSTRAINTS = """
must exactly at least most more less than fewer between include exclude contain start end begin
finish word words letter letters line lines length count times once twice never always only no
without upper lower case uppercase lowercase comma period sentence sentences paragraph paragraphs
title repeat avoid use keyword keywords quote quotes even odd sorted unique distinct first last
every each all any write a an the of in that
"""

FG = """
f g h p q r apply function functions compose composition inner outer result input output argument
returns give gives define defined let be as follows nested call calls alpha beta gamma delta
epsilon zeta eta theta kappa lambda sigma omega blim crop dax fep gorp hulm jask kiv lorn mib nuk
pesh quib rast tolm vex wug yop zind
"""

SKILL_TEXT = """
skill skills name description license metadata when use instructions steps step output notes
overview example examples input format rule rules check gotcha gotchas before after procedure list
lists item items final answer write read show keep do not skip exactly request user assistant
system tool tools task solve solved three two one given return json text explain lesson failed
failure worked because instead improve merge revise score good bad better hint draft plan wrong
correct right reason Apache MIT version
"""

GLUE = """
the a an and or but if then else this that these those it its he she they we i me my our your
their is are was were be been has have had do does did will would can could may might must should
not no yes in on at by for from of to with as about into over under again out up down off very
more most many much few some any each every all both none here there now today how why who what
when where which please thank thanks hello hi ok want need make made give gave get got go went
come came see saw say said know new old big small long short high low next previous same other
zero one two three four five six seven eight nine ten eleven twelve hundred first second third
fourth fifth sixth plus minus sum difference product greater smaller equal add subtract multiply
divide maximum minimum average
"""

LISTS = (HOUSEHOLD, FACTS, CONSTRAINTS, FG, SKILL_TEXT, GLUE)


def all_words() -> tuple[str, ...]:
    """Every listed word once, in order of first appearance."""
    return tuple(dict.fromkeys(word for text in LISTS for word in text.split()))
