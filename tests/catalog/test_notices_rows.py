"""Notices, alarms, closed days, the audit and owed posts, on each engine."""

from datetime import date, timedelta

from running import DAY, NOW, running

from sesam.catalog import (
    alarms,
    audit,
    days,
    interface_runs,
    jobs,
    notices,
    pruning,
    sheet,
    site,
)
from sesam.catalog.db import Catalog
from sesam.catalog.sheet import SheetRow
from sesam.rules.decision import EventType
from sesam.rules.settings import Settings
from sesam.service.ground.owner import current_owner
from sesam.terms import State

LATER = NOW + timedelta(days=1)


def ended(catalog: Catalog, state: State, name: str = "etc") -> int:
    job = running(catalog, name)
    with catalog.change():
        jobs.finish(job, state, now=NOW, message="because", result={})
    return job.id


def test_the_end_of_a_job_is_a_notice_by_the_settings(catalog: Catalog) -> None:
    ended(catalog, State.OK)
    assert not notices.is_due(LATER)
    number = ended(catalog, State.ERROR)
    (one,) = notices.due(LATER)
    assert (one.interface, one.kind, one.object) == ("sm_notify", "job", "etc")
    assert (one.facts, one.tries) == ({"job": number}, 0)
    with catalog.change():
        site.put_settings(Settings(notify_on=("ok",)))
    ended(catalog, State.ERROR)
    ended(catalog, State.OK)
    assert [one.subject[-2:] for one in notices.due(LATER)] == ["or", "ok"]


def test_a_notice_is_due_until_it_is_told_or_given_up(catalog: Catalog) -> None:
    with catalog.change():
        for number in range(3):
            assert notices.post("sm_notify", "k", f"o{number}", "s", now=NOW)
        assert notices.post("sm_notify", "k", "o", "s", now=NOW, once="x")
        assert not notices.post("sm_notify", "k", "o", "s", now=NOW, once="x")
    first, second, third, last = notices.due(NOW)
    assert last.object == "o"
    with catalog.change():
        notices.told(first.id, NOW)
        notices.not_told(second.id, "no", LATER)
        notices.not_told(third.id, "no", None)
        notices.told(last.id, NOW)
    assert notices.due(NOW) == []
    assert [(one.id, one.tries) for one in notices.due(LATER)] == [(second.id, 1)]
    assert notices.failing() == 1
    pruning.prune_notices(catalog, LATER)
    assert [one.id for one in notices.due(LATER)] == [second.id]


def test_an_alarm_is_told_once_by_whoever_changes_its_row(catalog: Catalog) -> None:
    with catalog.change():
        for _ in range(3):
            alarms.begin("rpo", "t", "text", NOW, LATER)
    (one,) = alarms.open_alarms()
    with catalog.change():
        for _ in range(3):
            alarms.remind(one, "text 2", NOW, None)
    (two,) = alarms.open_alarms()
    assert (two.text, two.reminders, two.remind_at) == ("text 2", 1, None)
    with catalog.change():
        for _ in range(3):
            alarms.end(two, NOW)
        alarms.remind(two, "text", NOW, None)
    assert alarms.open_alarms() == []
    found = [one.facts["state"] for one in notices.due(NOW)]
    assert found == ["alarm", "reminder", "over"]
    with catalog.change():
        alarms.begin("rpo", "t", "again", LATER, None)
    assert len(alarms.open_alarms()) == 1
    pruning.prune_notices(catalog, LATER)
    assert len(alarms.open_alarms()) == 1


def test_a_post_is_owed_from_its_pre_on(catalog: Catalog) -> None:
    job = running(catalog)
    with catalog.change():
        interface_runs.begin(job.id, "sbc", {"task": "etc"}, NOW)
        interface_runs.note_pre(job.id, 1)
    assert interface_runs.owed() == []
    with catalog.change():
        interface_runs.note_process(job.id, current_owner())
        jobs.finish(job, State.ERROR, now=NOW, message="m", result={})
    (one,) = interface_runs.owed()
    assert (one.job, one.pair, one.pre_exit) == (job.id, "sbc", 1)
    assert (one.facts, one.state, one.message) == ({"task": "etc"}, State.ERROR, "m")
    assert one.process == current_owner()
    with catalog.change():
        assert interface_runs.close(job.id)
        assert not interface_runs.close(job.id)
    assert interface_runs.owed() == []


def test_a_day_is_closed_once_and_final_once(catalog: Catalog) -> None:
    ended(catalog, State.OK)
    ended(catalog, State.ERROR)
    job = running(catalog)
    assert days.last_closed() is None
    assert days.days_with_rows(None, DAY) == []
    assert days.days_with_rows(None, DAY + timedelta(1)) == [DAY]
    assert days.days_with_rows(DAY, DAY + timedelta(1)) == []
    assert days.open_jobs(DAY) == 1
    with catalog.change():
        assert days.close(DAY, NOW, {"n": 1})
        assert not days.close(DAY, NOW, {"n": 2})
    assert (days.last_closed(), days.not_final()) == (DAY, [(DAY, {"n": 1})])
    with catalog.change():
        jobs.finish(job, State.OK, now=NOW, message="", result={})
        days.finish(DAY, NOW, {"n": 3})
        days.finish(DAY, LATER, {"n": 4})
    assert days.not_final() == []
    (row,) = days.list_days(5)
    assert (row["state"], row["n"], row["final_at"]) == ("final", 3, NOW)
    assert [one.state.value for one in days.jobs_of(DAY)] == ["ok", "error", "ok"]
    assert days.savesets_of(DAY) == (0, 0)


def test_old_rows_of_the_sheet_go_and_open_ones_stay(catalog: Catalog) -> None:
    def row(day: date, state: str, number: int) -> SheetRow:
        start = NOW + timedelta(minutes=number)
        facts = ("e", EventType.BACKUP, "t", "", "s", day, start, None, 1, False, "")
        return SheetRow(*facts, state)

    with catalog.change():
        for number in range(2500):
            sheet.post(row(DAY, "ok", number))
        sheet.post(row(DAY, "queued", 9000))
        sheet.post(row(DAY + timedelta(1), "ok", 9001))
    before = DAY + timedelta(1)
    assert pruning.old_rows(before) == 2500
    assert days.occurrences_of(DAY) == {"ok": 2500, "queued": 1}
    assert pruning.prune_sheet(catalog, before) == 2500
    assert pruning.old_rows(before) == 0
    assert days.occurrences_of(DAY) == {"queued": 1}
    assert days.occurrences_of(before) == {"ok": 1}
    running(catalog)
    assert pruning.days_with_open_jobs() == {DAY}


def test_the_audit_is_read_by_time_and_object(catalog: Catalog) -> None:
    with catalog.change():
        for number in range(4):
            moment = NOW + timedelta(hours=number)
            audit.record(moment, "ann", "sm_x", "do", f"o{number % 2}", "d")

    def some(**wanted: object) -> list[str]:
        asked = {"since": None, "until": None, "name": "", **wanted}
        return [row["object"] for row in audit.rows(**asked)]  # type: ignore[arg-type]

    hour = timedelta(hours=1)
    assert some() == ["o0", "o1", "o0", "o1"]
    assert some(since=NOW + hour, until=NOW + 3 * hour) == ["o1", "o0"]
    assert some(name="o1", since=NOW + 2 * hour) == ["o1"]


def test_settings_are_kept_as_they_were_put(catalog: Catalog) -> None:
    assert site.settings() == Settings()
    made = Settings(notify_on=(), log_days=0, cancel_at_newday=("backup", "verify"))
    with catalog.change():
        site.put_settings(made)
    assert site.settings() == made
