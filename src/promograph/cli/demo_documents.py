"""What the demo sends: GraphQL documents, each with one field."""

_ERRORS = "userErrors { code field message }"

TOKEN_CREATE = f"mutation ($input: TokenCreateInput!) {{ tokenCreate(input: $input) {{ text {_ERRORS} }} }}"

PROMOTION_CREATE = f"""mutation ($input: PromotionCreateInput!) {{
  promotionCreate(input: $input) {{
    promotion {{ id status window {{ endsAt }} }} {_ERRORS}
  }}
}}"""

PROMOTION_ACTIVATE = f"""mutation ($input: PromotionActInput!) {{
  promotionActivate(input: $input) {{ promotion {{ status }} {_ERRORS} }}
}}"""

CODES_IMPORT = f"""mutation ($input: CodesImportInput!) {{
  codesImport(input: $input) {{
    batch {{ size }}
    report {{ read added repeated alreadyHere alreadyElsewhere bad badRows {{ ...row }} repeatedRows {{ ...row }} }}
    {_ERRORS}
  }}
}}
fragment row on ListRow {{ row shown why }}"""

CODES_GENERATE = f"""mutation ($input: CodesGenerateInput!) {{
  codesGenerate(input: $input) {{ batch {{ size }} {_ERRORS} }}
}}"""

CODES_ADD = f"""mutation ($input: CodesAddInput!) {{
  codesAdd(input: $input) {{ batch {{ size }} {_ERRORS} }}
}}"""

CODES_ISSUE = f"mutation ($input: CodesIssueInput!) {{ codesIssue(input: $input) {{ issued codes {_ERRORS} }} }}"

CODE_ISSUE = f"""mutation ($input: CodeIssueInput!) {{
  codeIssue(input: $input) {{ issuance {{ text kind purpose issuedAt expiresAt }} {_ERRORS} }}
}}"""

CODE_VALIDATE = f"""query ($input: CodeValidateInput!) {{
  codeValidate(input: $input) {{ isValid promotionHandle {_ERRORS} }}
}}"""

CODE_REDEEM = f"""mutation ($input: CodeRedeemInput!) {{
  codeRedeem(input: $input) {{ redemption {{ id }} replayed {_ERRORS} }}
}}"""

INVENTORY = """query ($handle: String!) {
  promotion(handle: $handle) { inventory { total available issued redemptions customers } }
}"""

LOBBY = """{
  promotions(first: 20) {
    nodes {
      name handle status codeKind
      inventory { total available issued redeemed redemptions customers fallbackActive }
    }
  }
}"""
