"""What an adapter folder must be before anything uses it. See `policy.py`."""
