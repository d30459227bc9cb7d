"""The schema document: everything that a table promises, and the same text for the same models."""

from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, String, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from datamate.app import schema_document
from datamate.platform.db import schema_metadata
from datamate.platform.db.schema_document import render_schema_document


class Base(DeclarativeBase):
    metadata = schema_metadata("shop")


class Customer(Base):
    """Someone who orders."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("length(name) > 0", name="name"),
        Index("ix_customer_lower", func.lower("name"), unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), comment="First | last.")


class Order(Base):
    """What someone ordered."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("shop.customer.id", ondelete="CASCADE"))


def test_document_names_columns_rules_and_indexes_when_rendered() -> None:
    document = render_schema_document([Base])
    assert "### `shop.customer`\n\nSomeone who orders.\n" in document
    assert "| **`id`** | INTEGER | no | identity |  |" in document
    assert r"| `name` | VARCHAR(20) | no |  | First \| last. |" in document
    assert "- check `length(name) > 0`" in document
    assert "- unique `uq_customer_name` (name)" in document
    assert "- unique `ix_customer_lower` (lower('name'))" in document
    assert "| `customer_id` | INTEGER | yes |  |  |" in document
    assert "- `customer_id` → `shop.customer`, on delete cascade" in document


def test_check_fails_when_the_document_is_missing_or_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "schema.md"
    monkeypatch.setattr(schema_document, "DOCUMENT", document)
    assert schema_document.main(["--check"]) == 1
    assert "run `make docs`" in capsys.readouterr().err
    assert schema_document.main([]) == 0
    assert schema_document.main(["--check"]) == 0
    assert "## Schema `platform`" in document.read_text()
