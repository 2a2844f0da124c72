"""What is measured, and how: see run.py."""
