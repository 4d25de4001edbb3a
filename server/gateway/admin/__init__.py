"""The routes below /admin: what is published, who may ask, what the server is doing."""
