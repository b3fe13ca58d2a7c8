"""What people read: the end table, the summary, the page, and data for `dvc plots`."""
