"""Errands: scripts of the admin that nobody waits for; the program starts them."""

import click

from sesam.cli import family
from sesam.cli.site import open_site


@click.command("errand")
@click.argument("what", type=click.Choice(["posts", "notices"]))
def errand(what: str) -> None:
    """Run post scripts that workers owe who are gone, or tell scripts what is due."""
    from sesam.service import interfaces, notifying

    run = {"posts": interfaces.run_owed, "notices": notifying.run}[what]
    run(open_site())


def main() -> None:
    """Run an errand."""
    family.run(errand)


if __name__ == "__main__":
    main()
