"""`POST /channels/NAME/events`: where providers and shops call."""

import logging
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, request_response

from promograph.channels import BadSignature, ProviderRequest
from promograph.errors import StoreError
from promograph.services.app import Services
from promograph.web.bodies import BodyBounds, BoundedBodies

logger = logging.getLogger("promograph.channels")


def channel_routes(services: Services, bounds: BodyBounds) -> list[Route]:
    """The answer comes as soon as what was said is kept; the work on it comes after."""

    async def events(request: Request) -> Response:
        name = request.path_params["name"]
        channel = services.inbound.channel(name)
        if channel is None:
            return PlainTextResponse("There is no such channel, or it hears nothing.\n", 404)
        try:
            await services.inbound.receive(channel, await _whole(request, services.clock()))
        except BadSignature as refusal:
            logger.warning("the channel %s turned a request down: %s", name, refusal)
            return PlainTextResponse("The signature does not fit.\n", 401)
        except ValueError as problem:
            logger.warning("the channel %s cannot make sense of a request: %s", name, problem)
            return PlainTextResponse("The body makes no sense.\n", 400)
        except (StoreError, TimeoutError):
            return PlainTextResponse("Call again later.\n", 503)
        return Response()

    bounded = BoundedBodies(request_response(events), bounds)
    return [Route("/channels/{name}/events", bounded, methods=["POST"])]


async def _whole(request: Request, now: datetime) -> ProviderRequest:
    return ProviderRequest(
        url=str(request.url),
        headers=tuple(request.headers.items()),
        body=await request.body(),
        received_at=now,
    )
