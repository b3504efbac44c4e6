"""File upload, and the proxy through which clients send files to each other."""
