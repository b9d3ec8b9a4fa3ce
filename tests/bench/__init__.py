"""`make bench`: figures for docs/benchmarks.md. Never part of the tests."""
