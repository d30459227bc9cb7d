"""What crosses the line between the network and DataMate, in both directions."""
