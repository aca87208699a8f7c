"""The lab's MySQL and S3 images start, take the credentials they are given, and do their work."""

from __future__ import annotations

import boto3
import pymysql
import pytest
from botocore.exceptions import ClientError

from support.lab_servers import Database, ObjectStore, connect_mysql

pytestmark = pytest.mark.lab


def test_mysql_says_its_version_and_keeps_a_row(lab_mysql: Database) -> None:
    with connect_mysql(lab_mysql) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        (version,) = cursor.fetchone() or ("",)
        assert int(str(version).split(".")[0]) >= 8
        cursor.execute("CREATE TEMPORARY TABLE kept (name VARCHAR(20))")
        cursor.execute("INSERT INTO kept VALUES (%s)", ("wine",))
        cursor.execute("SELECT name FROM kept")
        assert cursor.fetchall() == (("wine",),)


def test_mysql_refuses_a_wrong_password(lab_mysql: Database) -> None:
    wrong = Database(host=lab_mysql.host, port=lab_mysql.port, user=lab_mysql.user, password="no", name=lab_mysql.name)
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        connect_mysql(wrong)


def s3_client(store: ObjectStore, secret_key: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - boto3 has no types
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=secret_key,
        region_name=store.region,
    )


def test_s3_gives_back_the_object_it_was_given(lab_s3: ObjectStore) -> None:
    client = s3_client(lab_s3, lab_s3.secret_key)
    client.create_bucket(Bucket="lab-test")
    try:
        client.put_object(Bucket="lab-test", Key="models/wine/MLmodel", Body=b"flavors: {}")
        assert client.get_object(Bucket="lab-test", Key="models/wine/MLmodel")["Body"].read() == b"flavors: {}"
        listed = client.list_objects_v2(Bucket="lab-test", Prefix="models/")
        assert [one["Key"] for one in listed["Contents"]] == ["models/wine/MLmodel"]
        client.delete_object(Bucket="lab-test", Key="models/wine/MLmodel")
    finally:
        client.delete_bucket(Bucket="lab-test")
        client.close()


def test_s3_refuses_a_wrong_key(lab_s3: ObjectStore) -> None:
    client = s3_client(lab_s3, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.list_buckets()
    client.close()
