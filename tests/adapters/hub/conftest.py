"""Push and pull meet our own hub, with the real client."""

from ...server.hub.hub_fixtures import _client, host, site

__all__ = ["_client", "host", "site"]
