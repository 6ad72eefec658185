"""What every trip stands on: the site, who does the work, its log and its keys."""
