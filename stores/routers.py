"""The router of the API, which keys have routes in too."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Routes that answer with a slash at the end and without: a redirect would drop a body."""

    routes = [
        route._replace(url=route.url.replace("{trailing_slash}", "/?")) for route in SimpleRouter.routes
    ]
