"""The story page: one HTML file that shows a run, without anything from elsewhere."""
