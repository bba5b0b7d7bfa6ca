"""The two kinds of database behind one port."""
