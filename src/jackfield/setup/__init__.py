"""What a person does to their set-up, for the command line and the page alike. Prints nothing."""
