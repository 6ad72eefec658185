"""The tick: what is due is decided, jobs are started, lost ones are ended.

Nothing is due in nearly all of them: then it costs a few looks into indexes, and the
modules that decide are not even loaded.
"""

from sesam.catalog import ends, events
from sesam.errors import SesamError
from sesam.service import clockwatch, closing, repair, spawning, watching
from sesam.service.ground.site import Site


def tick(site: Site) -> list[str]:
    """Decide what is due, start what can be started; return what went wrong.

    One bad event stops no other. Raises Protected under the wrong kind of clock.
    """
    site.look_again()
    now, problems = clockwatch.ticked(site)
    if waiting := events.due(now):
        from sesam.service import due

        problems += due.decide(site, waiting, now)
    repair.settle(site)
    if ends.any_(now):
        from sesam.service import aftermath

        problems += aftermath.see_to(site)
    problems += spawning.spawn_waiting(site)
    try:
        closing.finalise(site)
        watching.watch(site)
    except SesamError as error:
        problems.append(str(error))
    return problems
