"""The reference central court system (``kiosk central``): an extra a kiosk does not install.

The contract is ``docs/central-api.yaml``; nothing else in :mod:`kiosk` imports this room.

=================  ===========================================================================
``contract.py``    requests as typed models
``errors.py``      refusals with their code and status
``authority.py``   the court's CA: root, server and device certificates, revocation list
``schema.py``      tables
``database.py``    engine and transactions (SQLite; Postgres by URL)
``store.py``       where delivered bytes lie: a folder; ``s3.py``: an S3 store, by setting
``uploads.py``     bytes on their way in: append, verify, resume
``deliveries.py``  hearings, filings and reports: manifest, what is missing, receipt
``registry.py``    registration numbers and the state of filings
``journal.py``     signed heads of running hearings
``courts.py``      courts, kiosks, staff and schedule; reading of the seed file
``enrolment.py``   one-time codes, device certificates, who is calling
``tusd.py``        tusd takes the bytes at scale: its hooks
``link.py``        link check: counting, streams, UDP echo
``api.py``         the contract's addresses; ``tus.py``: those of tus
``cases.py``       is there such a case?
``admin.py``       the page for court IT; ``overview.py`` finds the exceptions it leads with
``faults.py``      faults on demand, for tests of clients
``server.py``      wiring of all of it into one process
=================  ===========================================================================
"""

CONTRACT = 1
REVISION = 2
