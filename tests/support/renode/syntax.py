"""Commands as words: what the monitor takes for a string, a path, a number."""
import re

KINDS = [
    ("space", r"\s+"),
    ("comment", r"#.*"),
    ("string", r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''),
    ("path", r"@(?:\\ |[^\s;])*"),
    ("variable", r"\$\w+(?:/(?:\\ |[^\s;])*)?"),
    ("end", r";"),
    ("equal", r"="),
    ("range", r"<\s*(?:0x[0-9A-Fa-f]+|\d+)\s*,?\s*(?:0x[0-9A-Fa-f]+|\d+)\s*>"),
    ("number", r"[-+]?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+)?)(?![\w.])"),
    ("word", r"[\w.\-?]+"),
]
PATTERN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in KINDS))
INTERVAL = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+)(?:\.(\d+))?")


class Token:
    def __init__(self, kind, text):
        self.kind, self.text = kind, text

    def value(self):
        if self.kind == "string":
            return re.sub(r"\\(.)", r"\1", self.text[1:-1])
        if self.kind == "path":
            return self.text[1:].replace("\\ ", " ")
        return self.text


class Untold(Exception):
    """At that column there is nothing that the monitor knows."""

    def __init__(self, line, column):
        super().__init__(f"Could not tokenize here:\r\n{line}\r\n{' ' * column}^")


def tokens(line):
    """Lists of tokens, one for each command of the line."""
    commands, at = [[]], 0
    while at < len(line):
        match = PATTERN.match(line, at)
        if not match:
            raise Untold(line, at)
        if match.lastgroup == "end":
            commands.append([])
        elif match.lastgroup not in ("space", "comment"):
            commands[-1].append(Token(match.lastgroup, match[0]))
        at = match.end()
    return [c for c in commands if c]


def interval(text):
    """Nanoseconds of [[H:]M:]S[.fraction], wherever in the text it begins; what follows is not looked at."""
    found = INTERVAL.search(text)
    if not found:
        return None
    hours, minutes, seconds = (int(found[i] or 0) for i in (1, 2, 3))
    fraction = int(((found[4] or "") + "000000000")[:9])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000000000 + fraction


def integer(token):
    if token.kind != "number" or "." in token.text:
        return None
    return int(token.text, 0 if "x" in token.text else 10)
