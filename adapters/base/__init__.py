"""Which base a model folder holds, and whether an adapter fits it. See `identity.py`."""
