"""The pragma linter: quiet on our headers, loud on every kind of mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqhls.backends.hls.lint import lint_pragmas, lint_standard, lint_synthesizable
from eqhls.ops import BY_NAME

HEADERS = sorted(
    (Path(__file__).resolve().parents[2] / "eqhls" / "data" / "hls_templates" / "eqhls").glob("*.h")
)


def test_every_block_has_a_header() -> None:
    assert {h.stem for h in HEADERS} == set(BY_NAME) | {"common", "output", "pair_map"}


@pytest.mark.parametrize("header", HEADERS, ids=lambda h: h.stem)
def test_headers_are_clean(header: Path) -> None:
    text = header.read_text()
    assert lint_pragmas(header.name, text) + lint_synthesizable(header.name, text) == []
    assert lint_standard(header.name, text) == []
    assert "#pragma HLS" in text and text.lstrip().startswith("//"), (
        "each header is commented and has pragmas"
    )


BAD = {
    "#pragma HLS UNROL": "unknown directive",
    "#pragma HLS PIPELINE I=1": "no option 'I'",
    "#pragma HLS PIPELINE II=x": "not a number",
    "#pragma HLS ARRAY_PARTITION variable=z complete": "not declared",
    "#pragma HLS ARRAY_PARTITION complete": "needs variable=",
    "#pragma hls UNROLL": "expected #pragma HLS",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_pragmas(line: str) -> None:
    text = f"void f(int* x) {{\n  int y[3];\n{line}\n}}\n"
    assert any(BAD[line] in str(f) for f in lint_pragmas("a.h", text))


@pytest.mark.parametrize(
    "line",
    [
        "int* p = new int[3];",
        "std::vector<int> v;",
        "double d = 0;",
        "throw 1;",
        "while (x) {}",
        "dynamic_cast<int*>(p);",
        "auto q = malloc(4);",
    ],
)
def test_unsynthesizable(line: str) -> None:
    assert lint_synthesizable("a.h", f"void f() {{\n  {line}\n}}\n")
    assert not lint_synthesizable("a.h", f"// {line}\n")
