"""The parts, by name."""

from promograph.cli.benching.parts.beside import BESIDE
from promograph.cli.benching.parts.customers import CUSTOMERS
from promograph.cli.benching.parts.export import EXPORT
from promograph.cli.benching.parts.orders import ORDERS
from promograph.cli.benching.parts.pages import PAGES
from promograph.cli.benching.parts.sends import SENDS

PARTS = {part.name: part for part in (PAGES, BESIDE, EXPORT, CUSTOMERS, ORDERS, SENDS)}
