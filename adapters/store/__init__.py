"""Where adapters live, under names that people use; files are the truth. See `store.py`."""
