"""Places to send orders to, behind one port."""
