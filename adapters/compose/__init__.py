"""A sum of stored adapters becomes an ordinary adapter. See `compose.py`."""
