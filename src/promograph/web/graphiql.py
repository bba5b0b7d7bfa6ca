"""The page of GraphiQL, with all that it needs from this package and nothing from elsewhere."""

from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FILES = Path(__file__).with_name("graphiql")

# The editor sets styles on elements, and its menus add a <style>; scripts come from our own files only.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def graphiql_routes() -> list[BaseRoute]:
    """Routes for `/graphiql/`; the page asks the endpoint at `/graphql` beside it."""
    return [Mount("/graphiql", _Page(directory=_FILES, html=True), name="graphiql")]


class _Page(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response
