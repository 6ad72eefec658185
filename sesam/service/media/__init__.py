"""Media of the site: claimed, loaded, labelled, written."""
