"""`make run`: the embedded servers, the processes and the terminal."""
