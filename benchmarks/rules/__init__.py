"""What the rules behind `gatewise new` give: beside settings made by hand, and held out in turn."""
