"""The admin's scripts: which there are, whether they may be run, and running them.

Knows no catalog and no device; man 5 sesam-interfaces is the contract.
"""
