"""The trips: one job each, start to end. The only room that sees all of the others."""
