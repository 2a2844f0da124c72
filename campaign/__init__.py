"""The campaign page of "Love Always Wins": film, petition, sharing, and what organisers need."""
