"""Files in a request: the GraphQL multipart request specification, guarded against other sites' forms.

A browser sends a form to another site without asking that site first, and `multipart/form-data` is what forms send.
A header of one's own, or Authorization, cannot be set by a form: it makes the browser ask.
"""

from typing import Any

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from promograph.web.graphql_requests import Operation, Read, parsed_json
from promograph.web.refusing import Refused

_PREFLIGHT_HEADERS = (
    "x-promograph-preflight",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "authorization",
)
_MAX_FILES = 10
_MAX_FIELDS = 2
"""`operations` and `map`."""


async def operation_in_form(request: Request, read: Read, *, max_text_bytes: int) -> Operation:
    """The operation with its files put into the variables; they are open until the request is closed.

    `max_text_bytes` bounds each of `operations` and `map`.
    """
    _require_preflight(request.headers)
    form = await _form(request, max_text_bytes)
    operation = read(parsed_json(_text(form, "operations"), "part 'operations'"))
    _place_files(operation.variables, parsed_json(_text(form, "map"), "part 'map'"), form)
    return operation


def _require_preflight(headers: Headers) -> None:
    if any(name in headers for name in _PREFLIGHT_HEADERS):
        return
    message = f"A multipart request needs one of the headers {', '.join(_PREFLIGHT_HEADERS)}, so that no page of \
another site can send it."
    raise Refused(message, code="PREFLIGHT_REQUIRED")


async def _form(request: Request, max_text_bytes: int) -> FormData:
    try:
        return await request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=max_text_bytes)
    except MultiPartException as error:
        raise Refused(f"The multipart body cannot be read: {error.message}") from error
    except HTTPException as error:
        # Starlette's own translation of the former, within an application.
        if error.status_code != 400:
            raise
        raise Refused(f"The multipart body cannot be read: {error.detail}") from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise Refused(f"A multipart request needs the part '{name}', as text.")
    return value


def _place_files(variables: dict[str, Any] | None, placing: object, form: FormData) -> None:
    if not isinstance(placing, dict):
        raise Refused('The part \'map\' is to be an object of lists of paths, such as {"0": ["variables.file"]}.')
    for part, paths in placing.items():
        file = form.get(part)
        if not isinstance(file, UploadFile):
            raise Refused(f"The part 'map' names the file {part!r}, which the request does not have.")
        if not isinstance(paths, list):
            raise Refused(f"The part 'map' is to give a list of paths for the file {part!r}.")
        for path in paths:
            _place(variables, path, file)


def _place(variables: dict[str, Any] | None, path: object, file: UploadFile) -> None:
    """Put `file` where `path`, such as `variables.files.0`, has a null; nothing else may be overwritten."""
    root, *steps = path.split(".") if isinstance(path, str) else [""]
    holder: Any = variables
    key: Any = None
    try:
        if root != "variables" or not steps:
            raise KeyError(root)
        for step in steps:
            holder = holder if key is None else holder[key]
            key = int(step) if isinstance(holder, list) else step
        if holder[key] is not None:
            raise KeyError(key)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Refused(f"The path {path!r} in the part 'map' does not lead to a null in the variables.") from error
    holder[key] = file
