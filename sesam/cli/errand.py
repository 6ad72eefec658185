"""Errands: scripts of the admin that nobody waits for; the program starts them."""

import click

from sesam.cli import family
from sesam.cli.site import open_site


@click.command("errand")
@click.argument("what", type=click.Choice(["posts"]))
def errand(what: str) -> None:
    """Run the post scripts that workers owe who are gone."""
    from sesam.service import interfaces

    interfaces.run_owed(open_site())


def main() -> None:
    """Run an errand."""
    family.run(errand)


if __name__ == "__main__":
    main()
