"""sesam: an open backup server that lives in the shell."""

__version__ = "0.1.0"
