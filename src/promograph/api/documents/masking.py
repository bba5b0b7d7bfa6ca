"""What a client may read of an error.

Errors about the document and its variables, errors raised as GraphQLError and the texts of `promograph.errors` are
meant for clients. Anything else is a fault of ours, whose text may hold a password or a customer: the client gets
a number, and the log gets the number with the traceback.
"""

import logging
import secrets
from typing import Any

from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from promograph.errors import BadInput, PromographError, StoreBusy, StoreReadOnly, StoreUnavailable

logger = logging.getLogger("promograph.api")

_CODES: dict[type[PromographError], str] = {
    StoreUnavailable: "UNAVAILABLE",
    StoreBusy: "UNAVAILABLE",
    StoreReadOnly: "READ_ONLY",
}


def public_error(error: GraphQLError) -> GraphQLError:
    """`error` itself where it is meant for clients, else one that says less; once more changes nothing."""
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return error
    if isinstance(original, PromographError):
        return _like(error, str(original), _extensions(original))
    if isinstance(original, CannotGetOperationTypeError):  # where results are streamed, it comes among them
        return _like(error, "The document has no such operation.", {"code": "OPERATION_NOT_FOUND"})
    if isinstance(original, InvalidOperationTypeError):
        return _like(error, "Such an operation is not answered here.", {"code": "METHOD_NOT_ALLOWED"})
    about_the_document = error.path is None and bool(error.nodes)
    return error if about_the_document else _like(error, *_incident(original, error.path))


def error_outside(exception: Exception) -> GraphQLError:
    """What may be read of an exception that no field raised, such as one from making the context."""
    return public_error(GraphQLError(str(exception), original_error=exception))


def _incident(fault: Exception, path: list[str | int] | None) -> tuple[str, dict[str, Any]]:
    incident = secrets.token_hex(6)
    where = ".".join(map(str, path)) if path else "the request"
    logger.error("Incident %s at %s", incident, where, exc_info=fault)
    return f"Internal error (incident {incident}).", {"code": "INTERNAL", "incident": incident}


def _extensions(error: PromographError) -> dict[str, Any]:
    if isinstance(error, BadInput):
        return {"code": error.problem.value, "field": list(error.field)}
    return {"code": next((code for kind, code in _CODES.items() if isinstance(error, kind)), "FAILED")}


def _like(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
