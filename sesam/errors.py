"""Every expected failure of the program, with its exit code and a hint.

The tens digit of an exit code is the room that failed, so that a script can react;
sesam(7) lists them. Anything that escapes and is not here is a bug: a traceback and
exit 1, which can never be taken for "done with warnings" (3).
"""

from typing import ClassVar

OK = 0
BUG = 1
USAGE = 2
WARNINGS = 3


class SesamError(Exception):
    """Base of all expected failures: what failed, which object in quotes, why.

    message -- lower case, no full stop; hint -- a command to type or one sentence.
    """

    exit_code: ClassVar[int] = 10
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


class WrongUsage(SesamError):
    """A value on the command line cannot be what it should be."""

    exit_code = USAGE


# -- 10-19: the request -------------------------------------------------------------


class RequestError(SesamError):
    """The request cannot be met as it stands."""

    exit_code = 10


class NotFound(RequestError):
    """An object of that name does not exist."""


class Conflict(RequestError):
    """An object of that name, or a site, exists already."""

    exit_code = 11


class Protected(RequestError):
    """Something else still needs the object, or it is locked."""

    exit_code = 12


class OutputLost(SesamError):
    """What was to be printed cannot be written: stdout is full, or failed."""

    exit_code = 19


# -- 20-29: the catalog -------------------------------------------------------------


class CatalogError(SesamError):
    """The catalog cannot be used."""

    exit_code = 20


class NoSite(CatalogError):
    """There is no site at SESAM_ROOT."""

    exit_code = 21
    default_hint = "sm_setup init makes one; SESAM_ROOT names another place"


class CatalogTooNew(CatalogError):
    """A later release of the program has already changed the catalog."""

    exit_code = 22
    default_hint = "use that release, or restore the catalog copy it took before"


class CatalogDamaged(CatalogError):
    """The catalog cannot be read as what it is."""

    exit_code = 23
    default_hint = "var/db holds copies of the catalog; sm_setup check says more"


# -- 30-39: devices and media -------------------------------------------------------


class DeviceError(SesamError):
    """A device failed, or answered what it may not answer."""

    exit_code = 30


class NoMedium(DeviceError):
    """There is no medium of the pool that could be written or read."""

    exit_code = 31


class WrongMedium(DeviceError):
    """The label on the medium is not the one that the catalog expects."""

    exit_code = 32


class MediumFull(DeviceError):
    """The medium ends here and the pool has no other to go on with."""

    exit_code = 33
    default_hint = "free space, or give the pool another store or more media"


class StoreMissing(DeviceError):
    """The directory of a data store bears no marker: not mounted, perhaps."""

    exit_code = 34
    default_hint = "mount it; a store is made by sm_media store add alone"


class WriteProtected(DeviceError):
    """The medium, or the file system of the store, is read-only."""

    exit_code = 35


class ForeignSite(DeviceError):
    """The medium belongs to another site."""

    exit_code = 36


class PositionLost(DeviceError):
    """The transport failed, or a reset came: the tape may be anywhere."""

    exit_code = 37


# -- 40-49: savesets ----------------------------------------------------------------


class Damaged(SesamError):
    """Bytes of a saveset are not those that were written."""

    exit_code = 40


class ChainBroken(Damaged):
    """A saveset that this one builds on is missing or damaged."""

    exit_code = 41


class UnknownFormat(Damaged):
    """The bytes are not a saveset, or one of a later format."""

    exit_code = 42


class NoIdentity(SesamError):
    """The saveset is encrypted and none of the identities opens it."""

    exit_code = 43
    default_hint = "--identity FILE names the age identity to use"


# -- 50-59: the client --------------------------------------------------------------


class ClientError(SesamError):
    """The machine whose data it is cannot be reached or read."""

    exit_code = 50


class SourceUnreadable(ClientError):
    """A source of the task cannot be read at all."""

    exit_code = 51


class UnsafePath(ClientError):
    """A name would lead out of the target."""

    exit_code = 52


class TargetUnusable(ClientError):
    """The target of a restore cannot be written."""

    exit_code = 53


class SourceLost(ClientError):
    """The stream of a source ended before its end record."""

    exit_code = 54


class Unreachable(ClientError):
    """ssh does not reach the client, or its program is not there."""

    exit_code = 55
    default_hint = "try by hand: ssh CLIENT sm_sbc --version"


# -- 60-69: the admin's scripts ------------------------------------------------------


class InterfaceRefused(SesamError):
    """The pre script of the job refused it: nothing has been begun."""

    exit_code = 60


class InterfaceUnusable(SesamError):
    """There is a script, and it cannot be run."""

    exit_code = 61


class InterfaceFailed(SesamError):
    """The work of the job is done, and its post script failed."""

    exit_code = 62


# -- 75: busy ------------------------------------------------------------------------


class Busy(SesamError):
    """Another process holds what is needed; later it will work (EX_TEMPFAIL)."""

    exit_code = 75
    default_hint = "try again later"


class Interrupted(SesamError):
    """The command was told to stop, and did so in good order."""

    exit_code = 130

    def __init__(self, message: str, *, signal: int = 2) -> None:
        super().__init__(message)
        self.signal = signal


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a command that this error ends."""
    if isinstance(error, Interrupted):
        return 128 + error.signal
    if isinstance(error, KeyboardInterrupt):
        return Interrupted.exit_code
    return error.exit_code if isinstance(error, SesamError) else BUG


# The bytes cannot be asked for now: nothing is known of them, and nothing recorded.
AWAY = (
    StoreMissing,
    ForeignSite,
    NoMedium,
    WrongMedium,
    PositionLost,
    Unreachable,
    Busy,
    Interrupted,
)


def named(kind: object, message: str, hint: str = "") -> SesamError:
    """Return the error of that class name, as another process told of it.

    One of no known class is Unreachable.
    """
    found = globals().get(str(kind))
    if not (isinstance(found, type) and issubclass(found, SesamError)):
        found = Unreachable
    return found(message, hint=hint)
