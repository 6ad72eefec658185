"""Tapes of the site: claimed drives, media brought into them, writers and readers."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sesam.catalog import claims, drives, media, pools
from sesam.device.loader import DRIVE, SLOT, TapeLibrary
from sesam.device.tape import TapeDrive
from sesam.device.tape_writer import LoadedTape, TapeWriter
from sesam.errors import Busy, NoMedium
from sesam.rules.label import Header
from sesam.rules.records import Claim, Drive, MediaPool, Medium
from sesam.service.ground import keys, owner
from sesam.service.ground.site import Site
from sesam.service.moving.moverjob import MoverJob
from sesam.terms import MediumKind


@dataclass
class DriveSession:
    """A tape drive that this process holds; close it to give it back."""

    site: Site
    drive: Drive
    claim: Claim
    block_bytes: int
    _loader: TapeLibrary | None = None
    _tape: TapeDrive | None = None
    _medium: Claim | None = None

    @property
    def loader(self) -> TapeLibrary:
        """The library the drive is in. Raises NoMedium where it is in none."""
        if not self.drive.loader:
            raise NoMedium(
                f'drive "{self.drive.name}" is in no loader: put the medium in by hand'
            )
        if self._loader is None:
            self._loader = TapeLibrary(drives.get_loader(self.drive.loader).device)
        return self._loader

    def tape(self) -> TapeDrive:
        """Return the drive itself, whatever medium is in it."""
        if self._tape is None:
            self._tape = TapeDrive(self.drive.device, self.block_bytes)
        return self._tape

    def load(self, medium: Medium) -> TapeDrive:
        """Bring a medium into the drive. Raises Busy, NoMedium, DeviceError."""
        self._claim_medium(medium.label)
        if self.drive.loader:
            self._bring(medium)
        return self.tape()

    def load_slot(self, slot: int) -> str:
        """Bring what is in a slot into the drive; return its barcode."""
        self.empty()
        found = self.loader.elements(SLOT)
        barcode = found[slot - 1].barcode if 0 < slot <= len(found) else ""
        self.loader.load(slot, self.drive.position)
        return barcode

    def empty(self) -> int:
        """Put what is in the drive back into its slot; return that, 0 for none."""
        self._end_tape()
        held = self.loader.elements(DRIVE)
        if self.drive.position < len(held) and held[self.drive.position].full:
            slot = self.loader.unload(self.drive.position)
            self._note(held[self.drive.position].barcode, slot=slot, drive="")
            return slot
        return 0

    def close(self) -> None:
        """Give back the drive; the medium stays in it."""
        self._end_tape()
        if self._loader is not None:
            self._loader.close()
        for one in (self._medium, self.claim):
            if one is not None:
                claims.release(self.site.catalog, one)

    def held(self) -> list[Claim]:
        """Return the claims that have to be renewed while work goes on."""
        return [one for one in (self.claim, self._medium) if one is not None]

    def _claim_medium(self, label: str) -> None:
        before, thing = self._medium, f"medium:{label}"
        if before is not None and before.thing == thing:
            return
        self._medium = claims.claim(
            self.site.catalog, thing, owner.current_owner(), owner.JUDGE
        )
        if before is not None:
            claims.release(self.site.catalog, before)

    def _bring(self, medium: Medium) -> None:
        held = self.loader.elements(DRIVE)
        at = self.drive.position
        if at < len(held) and held[at].full and held[at].barcode == medium.barcode:
            return
        slot = self.loader.slot_of(medium.barcode)
        if not slot:
            raise NoMedium(
                f'medium "{medium.label}" ({medium.barcode}) is in no slot of loader'
                f' "{self.drive.loader}"',
                hint="put it in, then run this again",
            )
        self.empty()
        self.loader.load(slot, at)
        self._note(medium.barcode, slot=0, drive=self.drive.name)

    def _note(self, barcode: str, *, slot: int, drive: str) -> None:
        for one in media.list_media():
            if barcode and one.barcode == barcode:
                with self.site.catalog.change():
                    media.put_where(
                        one.label, loader=self.drive.loader, slot=slot, drive=drive
                    )

    def _end_tape(self) -> None:
        if self._tape is not None:
            self._tape.close()
            self._tape = None


def open_drive(site: Site, drive: Drive, block_bytes: int) -> DriveSession:
    """Claim a tape drive. Raises Busy."""
    held = claims.claim(
        site.catalog, f"drive:{drive.name}", owner.current_owner(), owner.JUDGE
    )
    return DriveSession(site, drive, held, block_bytes)


def any_drive(site: Site, pool: MediaPool) -> DriveSession:
    """Claim the first drive of a pool's group that is free. Raises NoMedium, Busy."""
    group = [one for one in drives.list_drives() if one.group == pool.group]
    tapes = [one for one in group if one.kind is MediumKind.TAPE and not one.rds]
    busy: Busy | None = None
    for one in tapes:
        try:
            return open_drive(site, one, pool.block_bytes)
        except Busy as error:
            busy = error
    raise busy or NoMedium(f'media pool "{pool.name}" has no drive')


def writable(pool: str, but: set[str]) -> Medium:
    """Return the medium of a pool to write next: one begun before an empty one.

    Raises NoMedium.
    """
    found = [
        one
        for one in media.list_media(pool=pool)
        if not one.full and not one.protected and one.label not in but
    ]
    if not found:
        raise NoMedium(
            f'media pool "{pool}" has no medium left to write',
            hint=f"sm_media init --pool {pool} --loader LOADER --slot N",
        )
    return max(found, key=lambda one: (one.files > 1, one.files))


@contextlib.contextmanager
def tape_writer(
    site: Site,
    pool: MediaPool,
    job: MoverJob,
    keep: Callable[[Callable[[], list[Claim]]], object],
) -> Iterator[TapeWriter]:
    """Open a writer for one saveset, its drive held for the length of the block.

    keep -- takes what tells the claims that have to be renewed meanwhile
    """
    session = any_drive(site, pool)
    keep(session.held)
    used: set[str] = set()

    def load() -> LoadedTape:
        while True:
            medium = writable(pool.name, used)
            used.add(medium.label)
            try:
                tape = session.load(medium)
            except Busy:
                continue  # another job writes it
            return LoadedTape(tape, medium.label, medium.files)

    header = Header(
        site=job.site,
        label="",
        saveset=job.saveset,
        part="",
        number=0,
        file=0,
        block_bytes=pool.block_bytes,
        encrypted=bool(job.recipients),
        identity=keys.protected_identity(site, job.recipients),
    )
    try:
        yield TapeWriter(header, load(), load)
    finally:
        session.close()


def note_written(site: Site, writer: TapeWriter) -> None:
    """Record what a writer has left on its media; to be called within `change`."""
    for tape in writer.tapes:
        media.put_written(
            tape.label,
            files=tape.files,
            more_bytes=tape.used_bytes,
            full=tape.full,
            now=site.clock(),
        )


def pool_of(label: str) -> MediaPool:
    """Return the pool of a medium. Raises NotFound."""
    return pools.get_pool(media.get_medium(label).pool)
