"""The worker of a detached job: started by the program itself, by job number."""

import click

from sesam.cli import family
from sesam.cli.site import open_site
from sesam.cli.stopping import stop_by_signal


@click.command("worker")
@click.argument("job", type=int)
def worker(job: int) -> None:
    """Do a queued job and end; how it ended is in its row and its log."""
    from sesam.service.aftermath import see_to
    from sesam.service.jobs import work
    from sesam.service.spawning import spawn_waiting

    site = open_site()
    try:
        work(site, job, stop_by_signal)
    finally:
        # Whatever became of it: what follows is queued, and what it held is free.
        see_to(site)
        spawn_waiting(site)


def main() -> None:
    """Run a worker."""
    family.run(worker)


if __name__ == "__main__":
    main()
