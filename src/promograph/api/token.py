"""API tokens."""

from datetime import datetime

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.nodes import Node, global_id
from promograph.api.rights import ADMIN
from promograph.api.scopes import ScopeEnum
from promograph.api.user_errors import UserError
from promograph.domain.keys import checked_key
from promograph.store import tokens


@strawberry.type(description="An API token; its text is shown only once, when it is created.", directives=ADMIN)
class Token(Node):
    name: str = strawberry.field(description="The token's name.")
    scopes: list[ScopeEnum] = strawberry.field(description="The rights that it carries.")
    created_at: datetime = strawberry.field(description="When it was created.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")


@strawberry.input(description="A token to make.")
class TokenCreateInput:
    name: str = strawberry.field(description="A name that no token had before, at most 64 characters.")
    scopes: list[ScopeEnum] = strawberry.field(description="The rights that it is to carry; at least one.")


@strawberry.input(description="Which token to revoke.")
class TokenRevokeInput:
    name: str = strawberry.field(description="The token's name.")


@strawberry.type(description="The new token.", directives=ADMIN)
class TokenCreatePayload:
    token: Token | None = strawberry.field(description="The token; none when something was wrong.")
    text: str | None = strawberry.field(description="What goes into `Authorization: Bearer`; it is never shown again.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then there is no token.")


@strawberry.type(description="The token as revoked.", directives=ADMIN)
class TokenRevokePayload:
    token: Token | None = strawberry.field(description="The token; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class TokenQueries:
    @strawberry.field(description="All tokens, the oldest first.", directives=ADMIN)
    async def tokens(self, info: Asked) -> list[Token]:
        return [token_node(token) for token in await info.context.services.access.every()]


@strawberry.type
class TokenMutations:
    @strawberry.mutation(description="Make an API token.", directives=ADMIN)
    async def token_create(self, info: Asked, input: Given[TokenCreateInput]) -> TokenCreatePayload:
        made, errors = await answered(info.context.services.access.create(input.name, input.scopes))
        if made is None:
            return TokenCreatePayload(token=None, text=None, user_errors=errors)
        return TokenCreatePayload(token=token_node(made[1]), text=made[0], user_errors=[])

    @strawberry.mutation(description="Revoke an API token, for good and within two seconds.", directives=ADMIN)
    async def token_revoke(self, info: Asked, input: Given[TokenRevokeInput]) -> TokenRevokePayload:
        token, errors = await answered(_revoke(info, input))
        return TokenRevokePayload(token=None if token is None else token_node(token), user_errors=errors)


async def _revoke(info: Asked, input: TokenRevokeInput) -> tokens.Token:
    return await info.context.services.access.revoke(checked_key(input.name, "name", longest=64))


def token_node(token: tokens.Token) -> Token:
    return Token(
        id=global_id("Token", token.id),
        name=token.name,
        scopes=sorted(token.scopes),
        created_at=token.created_at,
        revoked_at=token.revoked_at,
    )
