"""The portal: pages in a browser, for the owner of the box and everybody who has an account."""
