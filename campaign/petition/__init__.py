"""The petition: signing, confirming, withdrawing, receipts, totals, status and settings."""
