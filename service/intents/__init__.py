"""What people may change: typed requests, each shown with its effects first and done only against its token."""
