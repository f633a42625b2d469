"""What belongs to moesweep and needs Python."""
