"""The application of the hub: routes put together behind the outer shell."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from . import routes_repos, routes_revisions, routes_upload
from .hub import Hub
from .wire import Outer, add_error_handlers


def create_hub_app(hub: Hub) -> ASGIApp:
    """The application around one hub. There are no pages: nothing is ever rendered."""
    app = FastAPI(
        title="skillweave hub",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.hub = hub
    for routes in (routes_repos, routes_revisions, routes_upload):
        app.include_router(routes.router)
    add_error_handlers(app)
    return Outer(app)
