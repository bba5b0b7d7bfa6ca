"""What shops must know of promotions, and what they tell of uses."""
