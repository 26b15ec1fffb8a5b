"""What a client on this machine sees of the network; `answers` turns what came into readings."""
