"""The rights that the schema's types and fields name."""

from promograph.api.scopes import Needs
from promograph.domain.access import Scope

EVERYBODY = [Needs(any=[])]
"""For parts that hold nothing by themselves (a page's cursor) or lead only to parts that name their own."""

READ = [Needs(any=[Scope.INVENTORY_READ, Scope.PROMOTIONS_WRITE])]
WRITE = [Needs(any=[Scope.PROMOTIONS_WRITE])]
ISSUE = [Needs(any=[Scope.CODES_ISSUE])]
ISSUED = [Needs(any=[Scope.CODES_ISSUE, Scope.PROMOTIONS_WRITE])]
REDEEM = [Needs(any=[Scope.CODES_REDEEM])]
REDEEMED = [Needs(any=[Scope.CODES_REDEEM, Scope.PROMOTIONS_WRITE])]
PEOPLE = [Needs(any=[Scope.CUSTOMERS_WRITE])]
SEGMENTS = [Needs(any=[Scope.CUSTOMERS_WRITE, Scope.PROMOTIONS_WRITE, Scope.SENDS_WRITE])]
"""For what a condition over customers is put together from, and shows nobody in particular."""
PLANS = [Needs(any=[Scope.PROMOTIONS_WRITE, Scope.SENDS_WRITE])]
"""For what a send will be and need, which is about numbers and texts and shows nobody."""

JOBS = [Needs(any=[Scope.CUSTOMERS_WRITE, Scope.PROMOTIONS_WRITE])]
"""Of jobs, each caller sees those whose kind concerns it."""

SENDS = [Needs(any=[Scope.SENDS_WRITE])]

ADMIN = [Needs(any=[Scope.ADMIN])]
