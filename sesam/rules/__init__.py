"""Rules: pure functions over records. No clock, no file, no database.

May import terms and errors, and the values of the standard library.
"""
