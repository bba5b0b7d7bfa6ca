"""A code's text and its key.

The text is what a person is shown, as it was given; the key is what makes it the same code as another. Whoever stores
a code and whoever looks one up goes through `normalise`, so that letter case and typography never make two of one.
"""

import re
import unicodedata

MAX_LENGTH = 64
"""The most characters that a code's text may have, and its key too (`ß` is one character and `SS` two)."""

# Ordering combining marks costs the square of their number: 20,000 of them take a third of a second, and look-ups carry
# whatever a stranger typed. No code is this long, so what a longer text becomes matters to nobody.
_LONGEST_FOLDED = 4 * MAX_LENGTH

# The one capital whose small letter (`ß`) has another upper case: without this, case alone would make two codes of one.
_CAPITAL_SHARP_S = "\u1e9e"

# A second round is enough for every character there is (a test walks them all); the bound is there for later Unicodes.
_ROUNDS = 4

# Joiners, fillers and selectors that count as printable and show nothing: two codes would look the same and not be it.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def normalise(text: str) -> str:
    """The key of a code's text: trimmed, Unicode NFKC, upper case (`ẞ` as `SS`). The key of a key is that key."""
    if text.isascii():
        return text.strip().upper()
    key = text.strip()
    if len(key) > _LONGEST_FOLDED:
        return key.upper()
    # NFKC can make a space (of `¨`), and upper case can undo NFKC (of `ΐ`): one pass would not be the last one.
    for _ in range(_ROUNDS):
        before = key
        key = unicodedata.normalize("NFKC", before).upper().replace(_CAPITAL_SHARP_S, "SS").strip()
        if key == before:
            break
    return key


def check_text(text: str) -> str | None:
    """What is wrong with `text` as a code's text, as a sentence; None when it is a good one.

    White space around it does not count. Inside there may be none: a code is copied from paper, broken over lines in a
    message and put into links, and in each of these a space gets lost, doubled or turned into another character.
    """
    shown = text.strip()
    if 0 < len(shown) <= MAX_LENGTH and shown.isprintable() and " " not in shown and (shown.isascii() or _folds(shown)):
        return None
    return _fault(shown)


def _folds(shown: str) -> bool:
    """Whether a text that is not ASCII has a key that keeps the rules which the text itself keeps."""
    key = normalise(shown)
    return 0 < len(key) <= MAX_LENGTH and " " not in key and key.isprintable() and not _INVISIBLE.search(key)


def _fault(shown: str) -> str:
    if not shown:
        return "A code needs at least one character."
    if len(shown) > MAX_LENGTH:
        return f"A code has at most {MAX_LENGTH} characters; this one has {len(shown):,}."
    if any(character.isspace() for character in shown):
        return "A code has no white space inside."
    if not shown.isprintable() or _INVISIBLE.search(shown):
        return "A code has no control characters and none that cannot be seen."
    key = normalise(shown)
    if len(key) > MAX_LENGTH:
        return f"In upper case a code has at most {MAX_LENGTH} characters; this one has {len(key)}."
    return "This code holds a character that stands for several, a space among them."
