"""The check character of a code: worked out from the others, so that a typing error shows in the text itself.

It is ISO/IEC 7064's pure system: the sum of the letters' places in the alphabet, each weighed with a power of 2, leaves
1 when divided by the modulus, which is the smallest odd number that the alphabet's size does not exceed. No power of 2
has a factor in common with an odd number, so that whichever single letter is mistaken for another, and whichever two
neighbours change places, the sum comes out wrong. An alphabet of an even size lacks a letter for one value of the
modulus: texts that would need it are not made.
"""

import sys
from array import array
from collections.abc import Sequence


def modulus(letters: int) -> int:
    """For an alphabet of so many letters."""
    return letters | 1


def is_right(places: Sequence[int], letters: int) -> bool:
    """Whether the last of these places in the alphabet is what the others, in their order, ask for."""
    total = 0
    for place in places:
        total = total * 2 + place
    return total % modulus(letters) == 1 % modulus(letters)


def check_places(columns: Sequence[bytes], letters: int) -> bytes:
    """The check characters of many codes at once, as places in the alphabet; `letters` where there is none.

    `columns`: of each random character, in their order, its places in all of the codes. Four bytes of one large number
    are one code's sum, so that adding a column to all sums is one addition.
    """
    divisor, count = modulus(letters), len(columns[0])
    total, weight = 0, 1
    for column in reversed(columns):
        weight = weight * 2 % divisor
        spread = bytearray(4 * count)
        spread[::4] = column
        total += int.from_bytes(spread, "little") * weight
    sums = array("I", total.to_bytes(4 * count, "little"))
    if sys.byteorder == "big":
        sums.byteswap()
    return bytes([(1 - each) % divisor for each in sums])
