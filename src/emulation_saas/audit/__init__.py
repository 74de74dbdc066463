"""The log as a stranger sees it: served as a standard transparency log, and checked without trusting whoever serves it.

`verifier` imports nothing of this package, on purpose: it is one file that an auditor reads, copies and runs alone.
"""
