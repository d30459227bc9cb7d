"""Where the bytes of datasets are kept."""

from pydantic import Field, SecretStr

from datamate.config.section import Section


class StorageSettings(Section):
    """`DATAMATE_STORAGE__*`."""

    url: str | None = Field(None, description="file:///folder or s3://bucket/prefix. Empty: DATAMATE_HOME/objects.")
    endpoint: str | None = Field(None, description="S3 endpoint, such as http://127.0.0.1:9000. Empty: AWS.")
    region: str = Field("us-east-1", description="S3 region.")
    access_key_id: SecretStr | None = Field(None, description="S3 access key.")
    secret_access_key: SecretStr | None = Field(None, description="S3 secret key.")
    max_upload_bytes: int = Field(1 << 40, gt=0, description="Largest single file that an upload may bring.")
