"""Benchmarks; run.py explains the method."""
