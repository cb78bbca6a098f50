"""Set-up that runs before anything is installed (standard library only), and the pinned Go tool modules."""
