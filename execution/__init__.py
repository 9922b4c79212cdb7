"""The fast loop: works an approved plan tick by tick through the gate, with no language model on its way."""
