"""The admin routes put together, behind the admin key.

Owns the list of topics. Refuses to own any route: each topic has a file. To add a topic: a
function in `routes_<topic>.py` that adds its routes to the router, and its line in `TOPICS`.
"""

from collections.abc import Callable

from fastapi import APIRouter

from ..service import Service
from .guard import guarded_route
from .routes_drain import add_drain_routes
from .routes_keys import add_key_routes
from .routes_publish import add_publish_routes
from .routes_records import add_record_routes
from .routes_router import add_router_routes
from .routes_state import add_state_routes
from .routes_upload import add_upload_routes

PREFIX = "/admin"
TOPICS: tuple[Callable[[APIRouter, Service], None], ...] = (
    add_publish_routes,
    add_upload_routes,
    add_router_routes,
    add_state_routes,
    add_drain_routes,
    add_key_routes,
    add_record_routes,
)


def admin_routes(service: Service) -> APIRouter:
    """The routes, below /admin."""
    router = APIRouter(prefix=PREFIX, route_class=guarded_route(service, prefix=PREFIX))
    for add in TOPICS:
        add(router, service)
    return router
