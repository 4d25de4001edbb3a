"""Engines: how one is started (`launch.py`), spoken to (`client.py`), and imitated (`fake.py`)."""
