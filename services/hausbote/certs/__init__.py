"""Certificates of an authority: certbot asks for them, and they take the place of the last ones."""
