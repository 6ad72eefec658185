"""Rules: pure functions over records. No clock, no file, no database.

May import terms and errors, the standard library's values, and dateutil.
"""
