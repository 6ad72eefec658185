"""Public holidays of a country or region, from the package `holidays`."""

from datetime import date

from sesam.errors import RequestError, WrongUsage


def holiday_dates(where: str, first_year: int, last_year: int) -> dict[date, str]:
    """Return the holidays of `COUNTRY` or `COUNTRY-REGION` (ISO 3166) by date.

    Raises RequestError where the package is not installed, WrongUsage for a place that
    it does not know.
    """
    try:
        import holidays
    except ImportError as error:
        raise RequestError(
            f'the holidays of "{where}" need the package holidays',
            hint="pip install 'sesam[holidays]'",
        ) from error
    country, _, region = where.partition("-")
    try:
        found = holidays.country_holidays(
            country.upper(),
            subdiv=region.upper() or None,
            years=range(first_year, last_year + 1),
        )
    except (NotImplementedError, KeyError) as error:
        raise WrongUsage(
            f'no holidays are known of "{where}"',
            hint="COUNTRY or COUNTRY-REGION by ISO 3166, as DE-BY",
        ) from error
    return dict(sorted(found.items()))
