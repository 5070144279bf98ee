"""What people look at: sheets and tables."""
