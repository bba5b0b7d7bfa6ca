"""Which character parts the columns of a text file."""

import re
from collections import Counter
from collections.abc import Sequence

from promograph.domain.sheets.lines import LONGEST_LINE
from promograph.errors import BadInput, InputProblem

_SAMPLE = 100  # lines
_QUOTED = re.compile(r'"[^"]*+"')
_HINT = re.compile(r"sep=([,;|\t])\s*", re.IGNORECASE)  # above the header, tells a spreadsheet which separator follows
_NAMED = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}

# With decimal commas, each line may have as many commas as semicolons. A pipe is at home in codes: only where every
# line has it is it a separator.
_CANDIDATES = {"\t": 0.5, ";": 0.5, "|": 0.99, ",": 0.5}


def check_separator(told: str) -> str:
    """The character that was told, by itself or by its name; BadInput for what parts nothing."""
    separator = _NAMED.get(told.lower(), told)
    if len(separator) != 1 or separator.isalnum() or separator in '"\n\r\0':
        sentence = "A separator is one character that is neither a letter nor a digit, such as ; or , or tab."
        raise BadInput(InputProblem.INVALID, sentence, field=("separator",))
    return separator


def find_separator(lines: Sequence[str]) -> tuple[str | None, int]:
    """What parts the cells of a file that begins with these lines (None: it has one column), and how many lines at the
    beginning only say so."""
    for number, line in enumerate(lines):
        if hint := _HINT.fullmatch(line):
            return hint[1], number + 1
        if line.strip():
            break
    sample = [_QUOTED.sub("", line[:LONGEST_LINE]) for line in lines if line.strip()][:_SAMPLE]
    best, best_share = None, 0.0
    for candidate, least in _CANDIDATES.items():
        counts = Counter(found for line in sample if (found := line.count(candidate)))
        share = counts.most_common(1)[0][1] / len(sample) if counts else 0.0
        if share > max(least, best_share):
            best, best_share = candidate, share
    return best, 0
