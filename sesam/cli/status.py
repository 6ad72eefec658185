"""sm_status, and sepuler status: the site at a glance."""

from typing import Any

import click

from sesam import __version__
from sesam.cli import family
from sesam.cli.family import Command, form_option
from sesam.cli.render import Column, Renderer, printable
from sesam.cli.site import open_site
from sesam.errors import SesamError

_LISTS = {
    "problems": [Column("state"), Column("text", "what is wrong")],
    "jobs": [
        *(Column("job"), Column("type"), Column("object"), Column("state")),
        *(Column("priority", right=True), Column("started_at", "started")),
    ],
    "decisions": [
        *(Column("start_at", "start"), Column("event"), Column("object")),
        *(Column("state"), Column("reason"), Column("job")),
    ],
    "rpo": [
        *(Column("task"), Column("rpo", "RPO h", right=True)),
        *(Column("last_good_at", "last good"), Column("over")),
    ],
    "stores": [
        *(Column("store"), Column("used_percent", "used %", right=True)),
        *(Column("high_water", "high water", right=True), Column("problem")),
    ],
}


def made(example: str) -> click.Command:
    """Return the command under the name that its example shows."""

    @click.command("status", cls=Command, example=example)
    @click.option(
        "--nagios",
        is_flag=True,
        help="One line, and exit 0, 1, 2 or 3 as a Nagios plugin.",
    )
    @click.option(
        "--prometheus", is_flag=True, help="Metrics as Prometheus reads them."
    )
    @form_option
    def status(nagios: bool, prometheus: bool, form: str) -> None:
        """Show the site at a glance: day, jobs, decisions, what is wrong."""
        if nagios and prometheus:
            raise click.UsageError("--nagios or --prometheus, not both")
        if nagios:
            _nagios()
        from sesam.service.status import status as service

        site = open_site()
        found = service(site)
        if prometheus:
            from sesam.rules.monitoring import prometheus as written

            click.echo(written(found), nl=False)
        else:
            _show(Renderer(form, site.zone), found, form)

    return status


def _show(renderer: Renderer, found: dict[str, Any], form: str) -> None:
    if form != "table":
        renderer.one(found)
        return
    plain = {key: one for key, one in found.items() if not isinstance(one, list)}
    decided = plain.pop("decided")
    told = ", ".join(f"{count} {state}" for state, count in decided.items())
    renderer.one({**plain, "decided": told})
    for key, columns in _LISTS.items():
        if found[key]:
            click.echo()
            renderer.rows(found[key], columns)


def _nagios() -> None:
    """Print the line of a plugin, and end as one: 3 where nothing is known."""
    from sesam.rules.monitoring import NAGIOS_CODES, nagios, nagios_line

    state = "unknown"
    try:
        from sesam.service.status import status as service

        found = service(open_site())
        state, line = found["state"], nagios(found)
    except SesamError as error:
        line = nagios_line(state, str(error))
    click.echo(printable(line))
    raise SystemExit(NAGIOS_CODES[state])


status = click.version_option(__version__, prog_name="sm_status")(
    made("sm_status --nagios")
)
status.name = "sm_status"


def main() -> None:
    """Run sm_status."""
    family.run(status)


if __name__ == "__main__":
    main()
