"""Delivered files in an S3 store (Ceph RGW, MinIO's successors, a cloud), through boto3.

A URL names the store: ``s3://BUCKET/PREFIX?endpoint=https://s3.court.example&region=kz``.
boto3 finds the credentials (environment, ``~/.aws``). The bucket must exist; the operator may
switch on versioning and object lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kiosk.central.data.s3_parts import S3Parts
from kiosk.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BLOCK_BYTES = 1 << 20
TRANSFER = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=64 << 20)
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Store:
    """An :class:`~kiosk.central.data.object_store.ObjectStore` on S3."""

    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self.name = f"s3://{bucket}/{prefix}"
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self.parts = S3Parts(client, bucket, self._prefix, self._object_path)

    @classmethod
    def from_url(cls, url: str) -> S3Store:
        """Return the store of ``url``.

        Raises:
            ConfigError: not an S3 URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ConfigError(f"{url}: not s3://BUCKET/PREFIX?endpoint=…&region=…")
        options = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if unknown := options.keys() - {"endpoint", "region"}:
            raise ConfigError(f"{url}: {', '.join(sorted(unknown))}: endpoint and region only")
        client = boto3.client(
            "s3",
            endpoint_url=options.get("endpoint"),
            region_name=options.get("region", "us-east-1"),
            config=Config(
                connect_timeout=5,  # all tries end before a kiosk hangs up: it is told 503
                read_timeout=20,
                max_pool_connections=32,
                retries={"total_max_attempts": 2, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )
        return cls(client, parts.netloc, parts.path.strip("/"))

    def put_file(self, spooled: Path, key: str) -> None:
        """See :class:`ObjectStore`: an upload in parts; it appears when it is whole."""
        with _as_storage_error(key):
            self._client.upload_file(
                str(spooled), self._bucket, self._object_path(key), Config=TRANSFER
            )

    def has(self, key: str) -> bool:
        """See :class:`ObjectStore`."""
        try:
            self._client.head_object(Bucket=self._bucket, Key=self._object_path(key))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ABSENT:
                return False
            raise StorageError(f"{key}: {error}") from error
        except BotoCoreError as error:
            raise StorageError(f"{key}: {error}") from error
        return True

    def read_sha256(self, key: str) -> str:
        """See :class:`ObjectStore`: every byte comes back over the network."""
        return self._read_sha256(self._object_path(key))

    def read_withheld_sha256(self, key: str) -> str:
        """See :class:`ObjectStore`."""
        try:
            return self._read_sha256(self._quarantine_path(key))
        except StorageError:
            return self._read_sha256(self._object_path(key))

    def _read_sha256(self, place: str) -> str:
        digest = hashlib.sha256()
        with _as_storage_error(place):
            answer = self._client.get_object(Bucket=self._bucket, Key=place)
            for block in answer["Body"].iter_chunks(BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def read(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """See :class:`ObjectStore`."""
        if length <= 0:
            return
        span = f"bytes={start}-{start + length - 1}"
        with _as_storage_error(key):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._object_path(key), Range=span
            )
            yield from answer["Body"].iter_chunks(BLOCK_BYTES)

    def remove_file(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        with _as_storage_error(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._object_path(key))

    def publish_delivery(self, kind: str, owner: str, files: Mapping[str, str]) -> None:
        """See :class:`ObjectStore`: a list, ``<kind>s/<owner>.json``; S3 has no links."""
        key = f"{self._prefix}{kind}s/{owner}.json"
        listed = {path: self._object_path(upload) for path, upload in files.items()}
        with _as_storage_error(owner):
            if not listed:
                self._client.delete_object(Bucket=self._bucket, Key=key)
                return
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=json.dumps(listed, indent=1, sort_keys=True).encode("ascii"),
                ContentType="application/json",
            )

    def withhold_file(self, key: str) -> None:
        """See :class:`ObjectStore`: under another prefix."""
        self._move(self._object_path(key), self._quarantine_path(key))

    def restore_file(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        self._move(self._quarantine_path(key), self._object_path(key))

    def erase_withheld(self, key: str) -> None:
        """See :class:`ObjectStore`."""
        with _as_storage_error(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._quarantine_path(key))

    def _move(self, source: str, target: str) -> None:
        """Copy inside the S3 server, then remove; absent when moved before a crash."""
        with _as_storage_error(source):
            try:
                self._client.copy(
                    {"Bucket": self._bucket, "Key": source}, self._bucket, target, Config=TRANSFER
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in ABSENT:
                    return
                raise
            self._client.delete_object(Bucket=self._bucket, Key=source)

    def free_bytes(self) -> int | None:
        """See :class:`ObjectStore`: S3 does not say."""
        return None

    def _object_path(self, key: str) -> str:
        return f"{self._prefix}objects/{key[:2]}/{key}"

    def _quarantine_path(self, key: str) -> str:
        return f"{self._prefix}quarantine/{key}"


@contextlib.contextmanager
def _as_storage_error(key: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise StorageError(f"{key}: {error}") from error
