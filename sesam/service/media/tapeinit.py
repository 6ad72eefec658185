"""Labelling media: what makes a tape one of a pool."""

from collections.abc import Sequence
from typing import Any

from sesam.catalog import drives, media, pools
from sesam.device.tape import TapeDrive
from sesam.device.tape_writer import read_label, write_label
from sesam.errors import (
    Conflict,
    DeviceError,
    ForeignSite,
    NoMedium,
    Protected,
    UnknownFormat,
    WrongUsage,
)
from sesam.rules.label import Label, encode_label, next_label
from sesam.rules.records import Drive, MediaPool, Medium
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site
from sesam.service.media import tapes
from sesam.terms import MediumKind


def init_slots(
    site: Site, pool_name: str, loader: str, slots: Sequence[int], *, force: bool
) -> list[dict[str, Any]]:
    """Label the media in slots of a loader. Raises as `_label`."""
    pool = pools.get_pool(pool_name)
    drives.get_loader(loader)
    inside = [one for one in drives.list_drives() if one.loader == loader]
    if not inside:
        raise NoMedium(f'loader "{loader}" has no drive')
    session = tapes.open_drive(site, inside[0], pool.block_bytes)
    found = []
    try:
        for slot in slots:
            barcode = session.load_slot(slot)
            found.append(
                _label(site, pool, session.tape(), session.drive, barcode, force)
            )
            session.empty()
    finally:
        session.close()
    return found


def init_drive(
    site: Site, pool_name: str, drive: str, *, force: bool
) -> dict[str, Any]:
    """Label the medium that is in a drive. Raises as `_label`."""
    pool, found = pools.get_pool(pool_name), drives.get_drive(drive)
    if found.kind is not MediumKind.TAPE:
        raise WrongUsage(f'drive "{drive}" is that of a data store')
    session = tapes.open_drive(site, found, pool.block_bytes)
    try:
        return _label(site, pool, session.tape(), found, "", force)
    finally:
        session.close()


def _label(
    site: Site,
    pool: MediaPool,
    tape: TapeDrive,
    drive: Drive,
    barcode: str,
    force: bool,
) -> dict[str, Any]:
    """Label one medium.

    Raises Conflict where it holds somebody's data and there is no `force`, ForeignSite
    where they are another site's, Protected while savesets of this one are on it.
    """
    before = _what_is_on(tape)
    if before is not None and before.site != site.id:
        raise ForeignSite(
            f'the tape "{before.label}" belongs to another site ({before.site})'
        )
    known = {one.label: one for one in media.list_media()}
    if before is not None and before.label in known:
        medium = known[before.label]
        if medium.savesets:
            raise Protected(
                f'medium "{medium.label}" holds {medium.savesets} savesets of this site'
            )
        if not force:
            raise Conflict(
                f'the tape is medium "{medium.label}" already',
                hint="--force labels it anew",
            )
    elif before is None and not force and _has_data(tape):
        raise Conflict(
            "the tape holds data of another program", hint="--force takes it over"
        )
    label = next_label(pool.name, known)
    now = site.clock()
    block = encode_label(
        Label(site.id, pool.name, label, pool.block_bytes, now.isoformat())
    )
    write_label(tape, block)
    medium = Medium(
        label=label,
        pool=pool.name,
        kind=MediumKind.TAPE,
        barcode=barcode,
        loader=drive.loader,
        files=1,
    )
    with site.catalog.change():
        if before is not None:
            media.remove_medium(before.label)
        media.add_medium(medium, now)
        was = f", was {before.label}" if before else ""
        record(site, "label medium", label, f"pool {pool.name}{was}")
    return {"label": label, "barcode": barcode, "pool": pool.name}


def _what_is_on(tape: TapeDrive) -> Label | None:
    try:
        return read_label(tape)
    except UnknownFormat:
        return None
    except DeviceError as error:
        # A block larger than ours: certainly not our label.
        if type(error) is DeviceError:
            return None
        raise


def _has_data(tape: TapeDrive) -> bool:
    tape.rewind()
    try:
        return tape.read_block() != b"" or tape.file > 0
    except DeviceError:
        return True
