"""The reference central court system (``kiosk central``): an extra a kiosk does not install.

The contract is ``docs/central-api.yaml``; nothing else in :mod:`kiosk` imports this package.

===================  =========================================================================
``contract.py``      requests as typed models
``errors.py``        refusals with their code and status
``api.py``           the addresses of the contract
``live_rooms.py``    levels and proof of the rooms that record, in memory
``server.py``        the server process: connects everything
``tasks.py``         the tasks of ``kiosk central``
``crash_points.py``  points at which tests may kill the server
``identity/``        the court's CA; the seed file; courts, kiosks and schedule; enrolment and
                     certificates; staff with PINs and badges, and each kiosk's signed list;
                     the signed rules pack
``data/``            tables and transactions; the store of delivered bytes (folder or S3)
``http/``            JSON errors and authentication; queries, cursors; case look-up; link check;
                     fault injection
``arrival/``         files that are still arriving: a folder, or S3 for several servers
``deliveries/``      uploads, deliveries and receipts, filings, closures,
                     journal heads, couriers' drives, searchable PDFs
``admin/``           the page for court IT, and the findings it starts with
===================  =========================================================================
"""

CONTRACT = 1
REVISION = 8
