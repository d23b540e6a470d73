"""What happened: the journal, its chain and its verification."""
