"""Clients in the catalog."""

from sesam.catalog.names import find, refuse_known, refuse_needed
from sesam.catalog.tables import ClientRow, DataStoreRow, DriveRow, SavesetRow, TaskRow
from sesam.rules.naming import check_name
from sesam.rules.records import Client

_WHAT = "client"


def list_clients() -> list[Client]:
    """Return all clients by name."""
    return [_record(row) for row in ClientRow.select().order_by(ClientRow.name)]


def get_client(name: str) -> Client:
    """Return a client. Raises NotFound."""
    return _record(find(ClientRow, _WHAT, name))


def add_client(client: Client) -> None:
    """Add a client. Raises Conflict, WrongUsage."""
    check_name(_WHAT, client.name)
    refuse_known(ClientRow, _WHAT, client.name)
    ClientRow.create(**_values(client))


def modify_client(client: Client) -> None:
    """Give the client of that name these values. Raises NotFound."""
    row = find(ClientRow, _WHAT, client.name)
    ClientRow.update(**_values(client)).where(ClientRow.id == row.id).execute()


def remove_client(name: str) -> None:
    """Remove a client. Raises NotFound, Protected where something needs it."""
    row = find(ClientRow, _WHAT, name)
    tasks = TaskRow.select().where(TaskRow.client == row)
    stores = DataStoreRow.select().where(DataStoreRow.rds == row)
    drives = DriveRow.select().where(DriveRow.rds == row)
    savesets = SavesetRow.select().where(SavesetRow.client == name).limit(4)
    refuse_needed(
        _WHAT,
        name,
        [
            ("task", [one.name for one in tasks]),
            ("data store", [one.name for one in stores]),
            ("drive", [one.name for one in drives]),
            ("saveset", [one.name for one in savesets]),
        ],
    )
    row.delete_instance()


def _record(row: ClientRow) -> Client:
    return Client(row.name, row.ssh, row.program, row.note)


def _values(client: Client) -> dict[str, str]:
    return {
        "name": client.name,
        "ssh": client.ssh,
        "program": client.program,
        "note": client.note,
    }
