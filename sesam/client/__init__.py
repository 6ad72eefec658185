"""The data of the machines we protect: the walk over a tree, and the way back.

Knows no saveset, no device and no catalog.
"""
