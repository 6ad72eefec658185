"""Tables of the catalog as peewee models: schema only; man 5 sesam-catalog.

Tables are made by the migrations alone; a test holds these models against them.
"""

from sesam.catalog.tables.base import database
from sesam.catalog.tables.configuration import (
    ClientRow,
    DataStoreRow,
    DriveGroupRow,
    DriveRow,
    EventRow,
    LoaderRow,
    MediaPoolRow,
    MediumRow,
    ScheduleRow,
    SiteRow,
    TaskGroupMemberRow,
    TaskGroupRow,
    TaskRow,
    TaskSourceRow,
)
from sesam.catalog.tables.records import (
    AuditRow,
    ClaimRow,
    CopyRow,
    JobRow,
    PieceRow,
    SavesetClaimRow,
    SavesetRow,
    TombstoneRow,
)

ALL = (
    SiteRow,
    ClientRow,
    DriveGroupRow,
    MediaPoolRow,
    TaskRow,
    TaskSourceRow,
    TaskGroupRow,
    TaskGroupMemberRow,
    LoaderRow,
    DataStoreRow,
    DriveRow,
    MediumRow,
    ScheduleRow,
    EventRow,
    JobRow,
    ClaimRow,
    SavesetRow,
    CopyRow,
    PieceRow,
    SavesetClaimRow,
    TombstoneRow,
    AuditRow,
)

__all__ = [
    "ALL",
    "AuditRow",
    "ClaimRow",
    "ClientRow",
    "CopyRow",
    "DataStoreRow",
    "DriveGroupRow",
    "DriveRow",
    "EventRow",
    "JobRow",
    "LoaderRow",
    "MediaPoolRow",
    "MediumRow",
    "PieceRow",
    "SavesetClaimRow",
    "SavesetRow",
    "ScheduleRow",
    "SiteRow",
    "TaskGroupMemberRow",
    "TaskGroupRow",
    "TaskRow",
    "TaskSourceRow",
    "TombstoneRow",
    "database",
]
