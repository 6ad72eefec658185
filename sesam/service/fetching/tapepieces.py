"""Opening pieces that lie on tapes."""

from sesam.catalog import media
from sesam.device.tape_reader import TapeReader
from sesam.ports import Blob, Drive
from sesam.service.ground.site import Site
from sesam.service.media import tapes
from sesam.terms import Piece


class TapePieces:
    """A PieceReader over the tapes of the site, through one drive that it claims."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._session: tapes.DriveSession | None = None
        self._reader = TapeReader(self._load, site.id)

    def open_piece(self, piece: Piece) -> Blob:
        return self._reader.open_piece(piece)

    def close(self) -> None:
        self._reader.close()
        if self._session is not None:
            self._session.close()

    def _load(self, label: str) -> Drive:
        if self._session is None:
            self._session = tapes.any_drive(self._site, tapes.pool_of(label))
        return self._session.load(media.get_medium(label))
