"""The source: from a tree to the parts of a saveset."""
