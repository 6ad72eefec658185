"""The way back: from pieces on media to the members of a saveset."""
