"""Owns the price table: what comes with Dockyard, and what was fetched since, which counts more. Contacts nothing.

The table that comes with Dockyard is an estimate, gathered from published readings of AWS's price list; each region says of
when. A price that is not known is left out, so nothing is ever said about it. In US dollars, on demand, without discounts and
taxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import write_file
from dockyard.domain.errors import DockyardError

_SHIPPED = "prices.json"
_FETCHED = "sagemaker-prices.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionPrices:
    """The prices of one region."""

    as_of: str
    """The day or month of the price list, as `2026-09`."""
    hourly: Mapping[str, float]
    """Dollars an hour for one instance of an endpoint, by instance type."""
    serverless: Mapping[str, float]
    """Dollars a second of a request that runs, by memory in MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices by region."""

    source: str
    regions: Mapping[str, RegionPrices]


class PriceBook:
    """What is known about prices on this machine."""

    def __init__(self, cache_home: Path) -> None:
        self._fetched = cache_home / _FETCHED

    def find_region(self, region: str) -> RegionPrices | None:
        """The prices of a region: those that were fetched, else those that came with Dockyard."""
        fetched = self._read_fetched().regions.get(region)
        return fetched or _read_shipped().regions.get(region)

    def save_region(self, region: str, prices: RegionPrices, source: str) -> None:
        """Keep prices that were fetched."""
        regions = {**self._read_fetched().regions, region: prices}
        write_file(self._fetched, encode(PriceTable(source=source, regions=regions)))

    def _read_fetched(self) -> PriceTable:
        try:
            return decode(PriceTable, self._fetched.read_bytes())
        except (OSError, DockyardError):  # a cache: what cannot be read is as good as not there
            return PriceTable(source="", regions={})


def _read_shipped() -> PriceTable:
    return decode(PriceTable, files("dockyard.adapters.sagemaker").joinpath(_SHIPPED).read_bytes(), what=_SHIPPED)
