"""Files in an S3 store that are still arriving: numbered parts, and a tail that fills no part yet.

A part of an S3 upload has at least 5 MiB, except the last one. All parts of a file have the same
size, so a part of one number always holds the same bytes of the file, whoever sends it. What fills
no part is an object of its own, under a name that is used once. What a killed process leaves is
aborted daily; set the bucket's lifecycle rules so that old objects under ``arriving/`` are removed.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from kiosk.errors import StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIN_PART_BYTES, MAX_PARTS = 5 << 20, 10_000


class LostPartsError(StorageError):
    """The S3 store knows the upload no more: it was aborted there, and its bytes are gone."""


def part_bytes(size: int) -> int:
    """Return the size of each part of a file of ``size`` bytes."""
    return max(MIN_PART_BYTES, -(-size // MAX_PARTS))


class S3Parts:
    """Parts and tails of one bucket.

    Args:
        client: of boto3.
        bucket: where everything is.
        prefix: of all keys, with its slash.
        object_path: returns the key of a complete file in the store.
    """

    def __init__(
        self, client: S3Client, bucket: str, prefix: str, object_path: Callable[[str], str]
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._arriving = f"{prefix}arriving/"
        self._object_path = object_path

    def begin(self, key: str) -> str:
        """Begin an upload in parts; return the store's id of it."""
        with _errors(key):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._object_path(key)
            )
            return begun["UploadId"]

    def put(self, key: str, upload_id: str, number: int, content: bytes) -> None:
        """Store a part, durably; ``number`` counts from 1.

        Raises:
            LostPartsError: the upload was aborted.
        """
        with _errors(key):
            self._client.upload_part(
                Bucket=self._bucket,
                Key=self._object_path(key),
                UploadId=upload_id,
                PartNumber=number,
                Body=content,
            )

    def complete(self, key: str, upload_id: str) -> None:
        """Make the parts one object.

        Raises:
            LostPartsError: the upload was aborted, or is complete already.
        """
        target = self._object_path(key)
        with _errors(key):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=target, UploadId=upload_id
            )
            parts = [
                {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                for page in pages
                for part in page.get("Parts", ())
            ]
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=target,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
            )

    def abort(self, key: str, upload_id: str) -> None:
        """Remove the parts; the upload may be absent."""
        with contextlib.suppress(LostPartsError), _errors(key):
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._object_path(key), UploadId=upload_id
            )

    def abort_stale(self, named: Collection[str], older_than: datetime) -> int:
        """Abort the uploads in parts that were begun before ``older_than`` and are not ``named``.

        A killed process leaves some: of files that arrive, and of whole files that were copied.

        Returns:
            their number.
        """
        with _errors(self._prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            stale = [
                (item["Key"], item["UploadId"])
                for page in pages
                for item in page.get("Uploads", ())
                if item["UploadId"] not in named and item["Initiated"] < older_than
            ]
            for key, upload_id in stale:
                with contextlib.suppress(LostPartsError), _errors(key):
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=key, UploadId=upload_id
                    )
        return len(stale)

    def put_tail(self, key: str, content: bytes) -> str:
        """Store what fills no part, durably; return its name."""
        name = uuid.uuid4().hex
        with _errors(key):
            self._client.put_object(
                Bucket=self._bucket, Key=self._tail_path(key, name), Body=content
            )
        return name

    def read_tail(self, key: str, name: str) -> bytes:
        """Return a tail.

        Raises:
            LostPartsError: it is gone.
        """
        with _errors(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._tail_path(key, name))
            return answer["Body"].read()

    def tail_to_object(self, key: str, name: str) -> None:
        """Make a tail the whole file, inside the S3 server.

        Raises:
            LostPartsError: it is gone.
        """
        with _errors(key):
            source = {"Bucket": self._bucket, "Key": self._tail_path(key, name)}
            self._client.copy_object(
                Bucket=self._bucket,
                Key=self._object_path(key),
                CopySource=source,  # type: ignore[arg-type]
            )

    def put_whole(self, key: str, content: bytes) -> None:
        """Store a small file as a whole, durably."""
        with _errors(key):
            self._client.put_object(Bucket=self._bucket, Key=self._object_path(key), Body=content)

    def remove_tails(self, key: str) -> None:
        """Remove all tails of an upload."""
        with _errors(key):
            listed = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=f"{self._arriving}{key}/"
            )
            for item in listed.get("Contents", ()):
                self._client.delete_object(Bucket=self._bucket, Key=item["Key"])

    def remove_tail(self, key: str, name: str) -> None:
        """Remove one tail."""
        with _errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._tail_path(key, name))

    def _tail_path(self, key: str, name: str) -> str:
        return f"{self._arriving}{key}/{name}"


@contextlib.contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchUpload", "NoSuchKey", "404"):
            raise LostPartsError(f"{key}: {error}") from error
        raise StorageError(f"{key}: {error}") from error
    except BotoCoreError as error:
        raise StorageError(f"{key}: {error}") from error
