"""Hold every file and function to its size: `python scripts/check_sizes.py [FOLDER ...]`.

A file of 500 lines or a function of 60 fails. Over all of src, the median function must stay at
10 lines or fewer and nine in ten at 30 or fewer. Generated files say so in their first line.
"""

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 10
NINTH_DECILE_FUNCTION = 30


def functions(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Name, line and length in lines of code of each function, docstring left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            start = first.lineno
            if ast.get_docstring(node) is not None:
                start = (first.end_lineno or first.lineno) + 1
            yield node.name, node.lineno, max((node.end_lineno or start) - start + 1, 0)


def check_file(path: Path, lengths: list[int]) -> Iterator[str]:
    """Complaints about one file; adds its function lengths to `lengths`."""
    text = path.read_text()
    if text.startswith(('"""Generated', "# Generated")):
        return
    lines = text.count("\n")
    if lines >= LONGEST_FILE:
        yield f"{path}: {lines} lines; split it (limit {LONGEST_FILE})"
    for name, line, length in functions(ast.parse(text)):
        lengths.append(length)
        if length >= LONGEST_FUNCTION:
            yield f"{path}:{line}: {name} has {length} lines (limit {LONGEST_FUNCTION})"


def check_distribution(lengths: list[int]) -> Iterator[str]:
    """Complaints about the functions as a whole."""
    if len(lengths) < 10:
        return
    median = statistics.median(lengths)
    ninth = statistics.quantiles(lengths, n=10)[-1]
    if median > MEDIAN_FUNCTION:
        yield f"the median function has {median} lines (limit {MEDIAN_FUNCTION})"
    if ninth > NINTH_DECILE_FUNCTION:
        yield f"one function in ten exceeds {ninth:.0f} lines (limit {NINTH_DECILE_FUNCTION})"


def main(folders: list[str]) -> int:
    """Print every complaint; exit status 1 if there is one."""
    lengths: list[int] = []
    complaints: list[str] = []
    for folder in folders or ["src"]:
        for path in sorted(Path(folder).rglob("*.py")):
            complaints += check_file(path, lengths)
    complaints += check_distribution(lengths)
    print("\n".join(complaints) or f"sizes: {len(lengths)} functions within their limits")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
