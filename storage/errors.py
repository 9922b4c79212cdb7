"""Errors of the disks.

ParleyError
└── StoreError
    ├── StoreMissing       nothing is stored at this path
    ├── StoreUnwritable    the folder, file or disk takes no writes (rights, full, read-only)
    ├── StoreCorrupt       the file is not a database, or its pages are damaged
    ├── StoreLocked        another process is the one writer
    └── StoreRefused       the store's own rules said no (append-only table, key used twice)
"""

from .. import ParleyError


class StoreError(ParleyError):
    code = "store_error"


class StoreMissing(StoreError):
    code = "store_missing"


class StoreUnwritable(StoreError):
    code = "store_unwritable"


class StoreCorrupt(StoreError):
    code = "store_corrupt"


class StoreLocked(StoreError):
    code = "store_locked"


class StoreRefused(StoreError):
    code = "store_refused"
