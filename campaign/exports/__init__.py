"""Exports of signatures: filters, columns, CSV, workbooks and the PDF for delivery."""
