"""What a person sees of their set-up and does to it, for the command line and the page alike. Prints nothing."""
