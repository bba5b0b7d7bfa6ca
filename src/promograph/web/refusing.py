"""A request that is not executed, and what its sender is told."""

from promograph.web.graphql_answers import Headers


class Refused(Exception):
    """The HTTP request is not one that can be executed; the text is for the caller."""

    def __init__(self, message: str, *, status: int = 400, code: str = "BAD_REQUEST", headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers
