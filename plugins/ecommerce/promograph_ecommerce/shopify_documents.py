"""What is asked of Shopify's Admin API, in its GraphQL: https://shopify.dev/docs/api/admin-graphql."""

from collections.abc import Sequence

CURRENCY = "query Currency { shop { currencyCode } }"

_CREATED = "codeDiscountNode { id codeDiscount { %s } } userErrors { field message code }"
_CODES = "... on %s { codes(first: 1) { nodes { id code } } }"

BASIC_CREATE = (
    "mutation BasicCreate($offer: DiscountCodeBasicInput!) { made: discountCodeBasicCreate(basicCodeDiscount: $offer) "
    f"{{ {_CREATED % (_CODES % 'DiscountCodeBasic')} }} }}"
)
SHIPPING_CREATE = (
    "mutation ShippingCreate($offer: DiscountCodeFreeShippingInput!) "
    "{ made: discountCodeFreeShippingCreate(freeShippingCodeDiscount: $offer) "
    f"{{ {_CREATED % (_CODES % 'DiscountCodeFreeShipping')} }} }}"
)
BASIC_UPDATE = (
    "mutation BasicUpdate($id: ID!, $offer: DiscountCodeBasicInput!) "
    "{ made: discountCodeBasicUpdate(id: $id, basicCodeDiscount: $offer) { userErrors { field message code } } }"
)
SHIPPING_UPDATE = (
    "mutation ShippingUpdate($id: ID!, $offer: DiscountCodeFreeShippingInput!) "
    "{ made: discountCodeFreeShippingUpdate(id: $id, freeShippingCodeDiscount: $offer) "
    "{ userErrors { field message code } } }"
)
DEACTIVATE = (
    "mutation Deactivate($id: ID!) { made: discountCodeDeactivate(id: $id) { userErrors { field message code } } }"
)
EXISTS = "query Exists($id: ID!) { codeDiscountNode(id: $id) { id } }"

ADD = (
    "mutation Add($id: ID!, $codes: [DiscountRedeemCodeInput!]!) "
    "{ made: discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) "
    "{ bulkCreation { id } userErrors { field message code } } }"
)
ADDED = (
    "query Added($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done codes(first: 250) "
    "{ nodes { code discountRedeemCode { id } errors { message code } } } } }"
)
REMOVE = (
    "mutation Remove($id: ID!, $ids: [ID!]!) { made: discountCodeRedeemCodeBulkDelete(discountId: $id, ids: $ids) "
    "{ job { id } userErrors { field message code } } }"
)
REMOVED = "query Removed($id: ID!) { job(id: $id) { done } }"

_PAGE = (
    "codes(first: 250, after: $after, sortKey: ID, reverse: true) "
    "{ nodes { id code } pageInfo { hasNextPage endCursor } }"
)
CODES = (
    "query Codes($id: ID!, $after: String) { codeDiscountNode(id: $id) { codeDiscount "
    f"{{ ... on DiscountCodeBasic {{ {_PAGE} }} ... on DiscountCodeFreeShipping {{ {_PAGE} }} }} }} }}"
)

MOST_LOOKED_UP = 50


def look_up(codes: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A query for the discounts that have these codes, at most 50, as `c0`, `c1` …; and its variables."""
    kinds = ", ".join(f"$c{n}: String!" for n in range(len(codes)))
    fields = " ".join(
        f"c{n}: codeDiscountNodeByCode(code: $c{n}) {{ id codeDiscount {{ ... on DiscountCodeBasic {{ title }} "
        "... on DiscountCodeFreeShipping { title } } }"
        for n in range(len(codes))
    )
    return f"query LookUp({kinds}) {{ {fields} }}", {f"c{n}": code for n, code in enumerate(codes)}
