"""GraphQL operations of a Strawberry schema, each compiled once into a Python callable.

`compile(schema, document, operation_name)` reads a *validated* operation once. What it gives answers as the schema
itself does (the same data, errors, paths and order), at a fraction of the cost: nothing is looked up, matched or
collected any more. What it does not cover it declines with None, and the schema executes it as ever.
"""

from strawberry_compiled.compiling import Compiled, compile

__all__ = ["Compiled", "compile"]
