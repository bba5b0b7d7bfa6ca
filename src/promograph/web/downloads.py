"""Files behind a link: whoever has its token gets the file, for as long as it is kept, as often as they like."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from promograph.services.app import Services
from promograph.services.exporting import Gone

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# The address is a secret, and the content is for whoever has it alone.
_PRIVATE = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def downloads_route(services: Services) -> Route:
    async def download(request: Request) -> Response:
        found = await services.exporting.open(request.path_params["token"])
        if found is None:
            return PlainTextResponse("There is no file under this link.\n", 404, _PRIVATE)
        if isinstance(found, Gone):
            return PlainTextResponse("This file is kept no longer: have it made again.\n", 410, _PRIVATE)
        file = found.file
        headers = _PRIVATE | {
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Content-Length": str(file.size),
        }
        kind = _TYPES[file.name.rpartition(".")[2]]
        if request.method == "HEAD":
            return Response(headers=headers, media_type=kind)
        return StreamingResponse(services.job_files.parts(file.id), headers=headers, media_type=kind)

    return Route("/downloads/{token}", download)
