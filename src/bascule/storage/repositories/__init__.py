"""What can be asked of each kind of row. A repository knows one tenant and never commits."""
