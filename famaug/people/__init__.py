"""WHO: names of the public data sets and of the people in them, however they are spelt."""
