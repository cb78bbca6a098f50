"""Setup scripts that run before anything is installed (standard library only), and the pinned Go tool modules."""
