"""What adapters look like from outside: spectrum, similarity, lineage, and plain facts.

`spectrum.py`, `similarity.py` and `lineage.py` are pure values; `stored.py` and `facts.py` read a
store; `terminal.py` and `draw.py` show. Names are imported from their files, so that a look at one
version imports neither torch nor matplotlib. To add one: a pure file with a value that has
`document()`, a function in `terminal.py` and one in `draw.py`.
"""
