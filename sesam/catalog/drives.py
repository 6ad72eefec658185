"""Loaders, drives and data stores in the catalog."""

from typing import Any

from sesam.catalog.names import find, find_or_none, refuse_known, refuse_needed
from sesam.catalog.tables import (
    ClientRow,
    DataStoreRow,
    DriveGroupRow,
    DriveRow,
    EventRow,
    LoaderRow,
    PieceRow,
    SavesetClaimRow,
)
from sesam.errors import Conflict, Protected
from sesam.rules.naming import check_name
from sesam.rules.records import DataStore, Drive, Loader
from sesam.terms import MediumKind

_LOADER, _DRIVE, _STORE = "loader", "drive", "data store"
_KINDS = {MediumKind.DISK: "a data store", MediumKind.TAPE: "a tape drive"}


def list_loaders() -> list[Loader]:
    """Return all loaders by name."""
    return [_loader(row) for row in LoaderRow.select().order_by(LoaderRow.name)]


def get_loader(name: str) -> Loader:
    """Return a loader. Raises NotFound."""
    return _loader(find(LoaderRow, _LOADER, name))


def add_loader(loader: Loader) -> None:
    """Add a loader. Raises Conflict, WrongUsage."""
    check_name(_LOADER, loader.name)
    refuse_known(LoaderRow, _LOADER, loader.name)
    LoaderRow.create(name=loader.name, device=loader.device, note=loader.note)


def modify_loader(loader: Loader) -> None:
    """Give the loader of that name these values. Raises NotFound."""
    row = find(LoaderRow, _LOADER, loader.name)
    row.device, row.note = loader.device, loader.note
    row.save()


def remove_loader(name: str) -> None:
    """Remove a loader. Raises NotFound, Protected while it has drives."""
    row = find(LoaderRow, _LOADER, name)
    drives = DriveRow.select().where(DriveRow.loader == row)
    refuse_needed(_LOADER, name, [(_DRIVE, [one.name for one in drives])])
    row.delete_instance()


def list_drives() -> list[Drive]:
    """Return all drives by name, those of data stores among them."""
    return [_drive(row) for row in DriveRow.select().order_by(DriveRow.name)]


def get_drive(name: str) -> Drive:
    """Return a drive. Raises NotFound."""
    return _drive(find(DriveRow, _DRIVE, name))


def add_drive(drive: Drive) -> None:
    """Add a tape drive. Raises Conflict, WrongUsage, NotFound for what it names."""
    check_name(_DRIVE, drive.name)
    refuse_known(DriveRow, _DRIVE, drive.name)
    _refuse_taken(drive)
    _refuse_mixed(drive.group, drive.kind, drive.name)
    DriveRow.create(**_drive_values(drive))


def modify_drive(drive: Drive) -> None:
    """Give the drive of that name these values. Raises NotFound, Conflict."""
    row = find(DriveRow, _DRIVE, drive.name)
    _refuse_taken(drive)
    _refuse_mixed(drive.group, drive.kind, drive.name)
    DriveRow.update(**_drive_values(drive)).where(DriveRow.id == row.id).execute()


def remove_drive(name: str) -> None:
    """Remove a tape drive. Raises NotFound, Protected for the drive of a store."""
    row = find(DriveRow, _DRIVE, name)
    if row.store is not None:
        raise Protected(
            f'drive "{name}" belongs to data store "{row.store.name}"',
            hint=f"sm_media store remove {row.store.name}",
        )
    events = EventRow.select().where(EventRow.drive == row).limit(4)
    refuse_needed(_DRIVE, name, [("event", [one.name for one in events])])
    row.delete_instance()


def list_stores() -> list[DataStore]:
    """Return all data stores by name."""
    return [_store(row) for row in DataStoreRow.select().order_by(DataStoreRow.name)]


def get_store(name: str) -> DataStore:
    """Return a data store. Raises NotFound."""
    return _store(find(DataStoreRow, _STORE, name))


def add_store(store: DataStore) -> None:
    """Add a data store and its drive, of the same name. Raises as `check_new_store`."""
    check_new_store(store)
    row = DataStoreRow.create(**_store_values(store))
    drive = Drive(
        store.name,
        store.group,
        MediumKind.DISK,
        store=store.name,
        streams=store.streams,
        rds=store.rds,
    )
    DriveRow.create(**{**_drive_values(drive), "store": row})


def check_new_store(store: DataStore) -> None:
    """Look whether a store can be added as it is. Raises Conflict, NotFound.

    Asked before its directory is made, and once more in the transaction that adds it.
    """
    check_name(_STORE, store.name)
    refuse_known(DataStoreRow, _STORE, store.name)
    refuse_known(DriveRow, _DRIVE, store.name)
    _refuse_same_place(store)
    _refuse_mixed(store.group, MediumKind.DISK, store.name)
    _store_values(store)


def modify_store(store: DataStore) -> None:
    """Give the store of that name these values. Raises NotFound, Conflict."""
    row = find(DataStoreRow, _STORE, store.name)
    _refuse_same_place(store)
    _refuse_mixed(store.group, MediumKind.DISK, store.name)
    values = _store_values(store)
    DataStoreRow.update(**values).where(DataStoreRow.id == row.id).execute()
    DriveRow.update(
        group=values["group"], streams=store.streams, rds=values["rds"]
    ).where(DriveRow.store == row).execute()


def remove_store(name: str) -> None:
    """Remove a data store and its drive. Raises NotFound, Protected."""
    row = find(DataStoreRow, _STORE, name)
    pieces = PieceRow.select().where(PieceRow.store == name).limit(4)
    claims = [one for one in SavesetClaimRow.select() if name in one.media]
    refuse_needed(
        _STORE,
        name,
        [
            ("saveset", [one.copy.saveset.name for one in pieces]),
            ("a backup that is writing", [one.saveset for one in claims]),
        ],
    )
    row.delete_instance()


def _refuse_same_place(store: DataStore) -> None:
    for other in list_stores():
        if other.name != store.name and (other.path, other.rds) == (
            store.path,
            store.rds,
        ):
            raise Conflict(f'"{store.path}" is data store "{other.name}" already')


def _refuse_mixed(group: str, kind: MediumKind, name: str) -> None:
    """Raise Conflict where a drive group holds drives of the other kind.

    name -- of the drive that joins it, and may be in it
    """
    for other in list_drives():
        if other.group == group and other.kind is not kind and other.name != name:
            raise Conflict(
                f'drive group "{group}" has {_KINDS[other.kind]} ("{other.name}"),'
                f" and takes no {_KINDS[kind].partition(' ')[2]}",
                hint="sm_media group add NAME makes another group",
            )


def _refuse_taken(drive: Drive) -> None:
    for other in list_drives():
        if other.name == drive.name:
            continue
        if drive.loader and (other.loader, other.position) == (
            drive.loader,
            drive.position,
        ):
            raise Conflict(
                f'position {drive.position} of loader "{drive.loader}" is drive'
                f' "{other.name}" already'
            )
        if drive.device and other.device == drive.device and other.rds == drive.rds:
            raise Conflict(f'"{drive.device}" is drive "{other.name}" already')


def _loader(row: Any) -> Loader:
    return Loader(row.name, row.device, row.note)


def _drive(row: Any) -> Drive:
    return Drive(
        name=row.name,
        group=row.group.name,
        kind=MediumKind(row.kind),
        device=row.device,
        loader=row.loader.name if row.loader else "",
        position=row.position,
        store=row.store.name if row.store else "",
        streams=row.streams,
        rds=row.rds.name if row.rds else "",
    )


def _drive_values(drive: Drive) -> dict[str, object]:
    return {
        "name": drive.name,
        "kind": drive.kind.value,
        "group": find(DriveGroupRow, "drive group", drive.group),
        "device": drive.device,
        "loader": find_or_none(LoaderRow, _LOADER, drive.loader),
        "position": drive.position,
        "streams": drive.streams,
        "rds": find_or_none(ClientRow, "client", drive.rds),
    }


def _store(row: Any) -> DataStore:
    return DataStore(
        name=row.name,
        path=row.path,
        group=row.group.name,
        capacity_bytes=row.capacity_bytes,
        high_water=row.high_water,
        low_water=row.low_water,
        streams=row.streams,
        rds=row.rds.name if row.rds else "",
        note=row.note,
    )


def _store_values(store: DataStore) -> dict[str, object]:
    return {
        "name": store.name,
        "path": store.path,
        "group": find(DriveGroupRow, "drive group", store.group),
        "capacity_bytes": store.capacity_bytes,
        "high_water": store.high_water,
        "low_water": store.low_water,
        "streams": store.streams,
        "rds": find_or_none(ClientRow, "client", store.rds),
        "note": store.note,
    }
