"""The mover: from the parts of a saveset to pieces on media, and to the catalog."""
