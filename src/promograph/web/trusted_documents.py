"""Documents that a client names by an id, because the server was given their texts beforehand.

Sources: `documentId` is that of persisted documents in the drafts of GraphQL over HTTP; the hash in
`extensions.persistedQuery.sha256Hash` is what Apollo's clients send, and those made by graphql-codegen. The ids are
those of the manifests, whatever was hashed how; nothing is ever added at a client's wish.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from promograph.errors import ConfigError
from promograph.web.refusing import Refused

_APOLLO = "apollo-persisted-query-manifest"


class TrustedDocuments:
    """Texts by their ids. With `only`, no other text is taken, however it comes."""

    def __init__(self, texts: Mapping[str, str], *, only: bool) -> None:
        self._texts = texts
        self._allowed = frozenset(texts.values()) if only else None

    def text_for(self, given: Mapping[str, Any]) -> Any:
        """The `query` of a request, or what stands for it; Refused for an id that is not known."""
        query = given.get("query")
        id_, is_hash = _id_in(given)
        if id_ is not None:
            text = self._texts.get(id_) or self._texts.get(id_.removeprefix("sha256:"))
            if text is not None:
                if query not in (None, text):
                    raise Refused("The 'query' is not the text of the document whose id comes with it.")
                return text
            # The hash beside a text is an offer to remember it, which is not taken.
            if not is_hash or not query:
                raise _unknown(is_hash)
        if self._allowed is not None and not (isinstance(query, str) and query in self._allowed):
            message = "Only documents that the server was given beforehand are taken here: send the id of one."
            raise Refused(message, code="ONLY_TRUSTED_DOCUMENTS")
        return query


ANY_DOCUMENT = TrustedDocuments({}, only=False)


def read_manifests(paths: Iterable[str]) -> Mapping[str, str]:
    """Texts by id, of files as graphql-codegen, relay-compiler (an object) or Apollo's generator write them.

    ConfigError naming a file that is not one of these, and an id that stands for two texts.
    """
    texts: dict[str, str] = {}
    for path in paths:
        for id_, text in _manifest(path).items():
            if texts.setdefault(id_, text) != text:
                raise ConfigError(f"The trusted documents in {path} give {id_!r} another text than a file before.")
    return texts


def _manifest(path: str) -> dict[str, str]:
    try:
        found = orjson.loads(Path(path).read_bytes())
        if isinstance(found, dict) and found.get("format") == _APOLLO:
            found = {operation["id"]: operation["body"] for operation in found["operations"]}
    except OSError as failure:
        raise ConfigError(f"The trusted documents in {path} cannot be read: {failure.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(part, str) for pair in found.items() for part in pair):
        raise ConfigError(f"The trusted documents in {path} are to be a JSON object of ids and documents.")
    return found


def _id_in(given: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The id, and whether it came as a hash in the extensions."""
    id_ = given.get("documentId")
    if id_ is not None:
        if not isinstance(id_, str):
            raise Refused("The 'documentId' is to be a string.")
        return id_, False
    extensions = given.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    hash_ = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    return (hash_, True) if isinstance(hash_, str) else (None, False)


def _unknown(is_hash: bool) -> Refused:
    if is_hash:
        # Apollo's clients know this sentence, with this status, and send the text.
        return Refused("PersistedQueryNotFound", status=200, code="PERSISTED_QUERY_NOT_FOUND")
    return Refused("No document has this id here.", code="DOCUMENT_NOT_FOUND")
