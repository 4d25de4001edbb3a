"""Base and update as an ordinary model folder. See `export.py`."""
