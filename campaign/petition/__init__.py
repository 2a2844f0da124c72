"""The petition: signing, confirming, withdrawing; sealing; counting; exporting."""
