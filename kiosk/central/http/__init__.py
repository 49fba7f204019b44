"""HTTP side of the central system: requests, link measurement, case look-up."""
