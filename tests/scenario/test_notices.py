"""What scripts of the admin are told: ends of jobs, alarms, once each and surely."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from chains import execute, full
from conftest import BIN, Site
from halting import until
from telling import put, told
from trees import small_tree

EXAMPLES = BIN.parent / "examples/interface.d"


def now_due(site: Site) -> None:
    """The time to try again has come."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    text = past.isoformat(timespec="microseconds")
    execute(site, "UPDATE notice SET due_at = ? WHERE due_at IS NOT NULL", text)


def failing(site: Site) -> None:
    """A backup that ends as error."""
    if site.sm("task show", "bad", code=None).code:
        site.sm("task add", "bad", "--source", "/nowhere/at/all")
    site.sm("backup start", "bad", code=51)


def test_the_end_of_a_job_is_told_by_its_state(site: Site, tmp_path: Path) -> None:
    kept = put(site, "sm_notify")
    full(site, small_tree(tmp_path / "source", 3))
    failing(site)
    (one,) = told(kept, 1)
    job = site.json("job list")[-1]
    assert one["subject"] == "backup of bad ended as error"
    assert (one["interface"], one["kind"], one["object"]) == ("sm_notify", "job", "bad")
    assert (one["state"], one["job"], one["exit_code"]) == ("error", job["job"], 51)
    assert one["message"] == job["message"] in one["text"]
    assert one["log"] == job["log"]
    site.sm("setup modify", "--notify-on", "ok")
    failing(site)
    full(site, tmp_path / "source")
    assert told(kept, 2)[1]["saveset"] == site.json("backup list")[-1]["saveset"]
    site.sm("setup modify", "--no-notify")
    failing(site)
    told(kept, 2)


def test_where_there_is_no_script_nothing_is_kept_for_later(site: Site) -> None:
    failing(site)
    assert execute(site, "SELECT count(*) FROM notice WHERE due_at IS NOT NULL") == [
        (0,)
    ]
    kept = put(site, "sm_notify")
    site.sm("sepuler tick")
    time.sleep(1)
    assert not kept.exists()


def test_a_script_that_fails_is_tried_again_and_holds_up_nothing(site: Site) -> None:
    put(site, "sm_notify", "#!/bin/sh\necho no server; exit 4\n")
    failing(site)

    def tries() -> list[tuple[Any, ...]]:
        return execute(site, "SELECT tries, message FROM notice")

    until(lambda: tries()[0][0] == 1, "it was tried")
    assert tries() == [(1, "it ended with exit code 4")]
    (log,) = (site.root / "var/log").glob("*/notices.log")
    assert "sm_notify: no server" in log.read_text()
    assert "error: notice 1: sm_notify: it ended with exit code 4" in log.read_text()
    kept = put(site, "sm_notify")
    site.sm("sepuler tick")
    time.sleep(1)
    assert not kept.exists()  # not yet: a minute has not gone by
    now_due(site)
    site.sm("sepuler tick")
    (one,) = told(kept, 1)
    assert (one["attempt"], one["notice"]) == (2, 1)


def test_a_script_that_hangs_is_no_hindrance(site: Site, tmp_path: Path) -> None:
    put(site, "sm_notify", "#!/bin/sh\nsleep 100\n")
    failing(site)
    began = time.monotonic()
    site.sm("sepuler tick")
    failing(site)
    site.sm("sepuler tick")
    assert time.monotonic() - began < 10


def test_what_a_killed_errand_did_not_tell_is_told_by_the_next(site: Site) -> None:
    put(site, "sm_notify", f"#!/bin/sh\necho $PPID > {site.root}/errand; sleep 30\n")
    failing(site)
    until((site.root / "errand").exists, "the script runs")
    kept = put(site, "sm_notify")
    os.kill(int((site.root / "errand").read_text()), signal.SIGKILL)
    # By its lease it holds the notices still; a minute later it does not.
    execute(site, "UPDATE claim SET lease_until = '2020-01-01T00:00:00.000000+00:00'")
    site.sm("sepuler tick")
    assert told(kept, 1)[0]["attempt"] == 1


def test_many_ticks_at_once_tell_of_an_alarm_once(site: Site) -> None:
    kept = put(site, "sm_alarm")
    site.sm("event off", "NEWDAY", "--force")
    ticks = [site.popen("sepuler tick") for _ in range(12)]
    for one in ticks:
        one.communicate()
    (one,) = told(kept, 1)
    assert (one["kind"], one["object"], one["state"]) == ("newday", "NEWDAY", "alarm")
    assert one["subject"].startswith("NEWDAY is switched off")
    again = datetime.now(UTC) - timedelta(seconds=1)
    execute(
        site, "UPDATE alarm SET remind_at = ?", again.isoformat(timespec="microseconds")
    )
    ticks = [site.popen("sepuler tick") for _ in range(12)]
    for one in ticks:
        one.communicate()
    reminder = told(kept, 2)[1]
    assert (reminder["state"], reminder["reminders"]) == ("reminder", 1)
    assert reminder["subject"].startswith("still: NEWDAY")
    site.sm("event on", "NEWDAY")
    site.sm("sepuler tick")
    over = told(kept, 3)[2]
    assert (over["state"], over["since"]) == ("over", one_since(kept))
    site.sm("sepuler tick")
    told(kept, 3)


def one_since(kept: Path) -> str:
    return str(json.loads(kept.read_text().splitlines()[0])["since"])


def test_reminders_can_be_switched_off(site: Site) -> None:
    site.sm("setup modify", "--remind-hours", 0)
    site.sm("event off", "NEWDAY", "--force")
    site.sm("sepuler tick")
    assert execute(site, "SELECT kind, remind_at FROM alarm") == [("newday", None)]


def test_a_saveset_that_is_missing_is_an_alarm_until_it_is_back(
    site: Site, tmp_path: Path
) -> None:
    kept = put(site, "sm_alarm")
    name = full(site, small_tree(tmp_path / "source", 3))
    (site.store() / name).rename(tmp_path / "lost")
    site.sm("newday run", code=3)
    (one,) = told(kept, 1)
    assert one["text"] == f"saveset {name} is missing in default"
    (tmp_path / "lost").rename(site.store() / name)
    site.sm("newday run")
    assert told(kept, 2)[1]["state"] == "over"


def test_a_pause_of_deletions_is_an_alarm(tmp_path: Path) -> None:
    begun = Site(tmp_path / "site", {"SESAM_NOW": "2031-05-06T09:00:00+00:00"})
    begun.sm("setup init", "--zone", "UTC")
    kept = put(begun, "sm_alarm")
    begun.sm("newday run")
    later = replace(begun, env={"SESAM_NOW": "2031-05-26T09:00:00+00:00"})
    later.sm("newday run", code=3)
    assert "leapt ahead" in told(kept, 1)[0]["text"]
    later.sm("newday run", "--confirm-clock")
    assert told(kept, 2)[1]["state"] == "over"


def test_a_blocking_event_is_told_once_a_backup_day(site: Site, tmp_path: Path) -> None:
    noon = Site(tmp_path / "other", {"SESAM_NOW": "2026-10-28T12:00:00+00:00"})
    noon.sm("setup init", "--zone", "UTC")
    kept = put(noon, "sm_notify")
    noon.sm("task add", "etc", "--source", "/etc/hostname")
    noon.sm("schedule add", "often", "--start", "20:00", "--every", "1h")
    noon.sm(
        *("event add", "holiday", "--type", "backup", "--task", "etc"),
        *("--schedule", "often", "--priority", 5, "--blocking"),
    )
    noon.sm("sepuler tick")
    for hour in (20, 21, 22):
        env = {"SESAM_NOW": f"2026-10-28T{hour}:00:30+00:00"}
        replace(noon, env=env).sm("sepuler tick")
    (one,) = told(kept, 1)
    assert (one["kind"], one["object"], one["backup_day"]) == (
        *("blocking", "holiday"),
        "2026-10-28",
    )


def test_the_way_back_is_told_after_each_backup_of_the_site(site: Site) -> None:
    kept = put(site, "sm_disaster")
    saveset = site.json("backup start", "SESAM_BACKUP")["saveset"]
    (one,) = told(kept, 1)
    assert one["recover"] == f"sm_setup recover --store {site.store()}"
    assert saveset in one["text"]
    assert (one["media"], one["stores"]) == (["default"], [str(site.store())])


class Box:
    """A mailbox."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Box, int]]:
    """A mail server on loopback, and its port."""
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


def test_the_example_sends_mail(site: Site, mailbox: tuple[Box, int]) -> None:
    box, port = mailbox
    put(site, "sm_notify", (EXAMPLES / "mail").read_text())
    env = {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(port), "MAIL_TO": "ann@x.test"}
    failing(replace(site, env=env))
    until(lambda: box.mails, "the mail")
    (mail,) = box.mails
    text = mail.content.decode()
    assert mail.rcpt_tos == ["ann@x.test"]
    assert "backup of bad ended as error" in text.replace("\r\n ", " ")
    assert "exit_code: 51" in text


def test_the_example_says_so_where_no_server_is(site: Site) -> None:
    done = subprocess.run(
        [EXAMPLES / "mail"],
        input='{"host": "h", "subject": "s", "site": "1", "notice": 1, "text": "t"}',
        env={"MAIL_HOST": "127.0.0.1", "MAIL_PORT": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "mail to root by 127.0.0.1:1" in done.stdout


def test_the_example_posts_to_a_webhook(site: Site) -> None:
    posted: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            posted.append((self.headers["Authorization"], body))
            self.send_response(503 if len(posted) == 1 else 204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        put(site, "sm_alarm", (EXAMPLES / "webhook").read_text())
        url = f"http://127.0.0.1:{server.server_port}/"
        armed = replace(site, env={"WEBHOOK_URL": url, "WEBHOOK_TOKEN": "secret"})
        armed.sm("event off", "NEWDAY", "--force")
        armed.sm("sepuler tick")
        until(lambda: execute(site, "SELECT tries FROM notice") == [(1,)], "a try")
        now_due(site)
        armed.sm("sepuler tick")
        until(lambda: len(posted) == 2, "a second try")
        server.shutdown()
    token, body = posted[1]
    assert (token, body["kind"], body["attempt"]) == ("Bearer secret", "newday", 2)


def test_a_log_that_cannot_be_written_is_no_reason_to_tell_nobody(site: Site) -> None:
    kept = put(site, "sm_alarm")
    site.sm("event off", "NEWDAY", "--force")
    logs = site.root / "var/log"
    for one in logs.iterdir():
        one.rename(site.root / one.name)
    logs.rmdir()
    logs.write_text("in the way")
    site.sm("sepuler tick", code=None)
    assert told(kept, 1)[0]["kind"] == "newday"
