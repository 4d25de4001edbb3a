"""The door between the store and a hub: push and pull."""
